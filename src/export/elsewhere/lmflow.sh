#!/bin/sh
# Run it in the folder that has lmflow-data; LMFLOW is where LMFlow is checked out.
set -eu
: "${LMFLOW:?Set it to the folder of LMFlow.}"
: "${CONVERSATION_TEMPLATE:?Set it to LMFlow's name of the chat template of this model, for example llama3 or qwen2.}"
python "$LMFLOW/examples/finetune.py" \
  @OPTIONS@ \
  --conversation_template "$CONVERSATION_TEMPLATE" \
  --overwrite_output_dir \
  --do_train
