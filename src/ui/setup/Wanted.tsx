// What a link or a settings file named and is not here: asked for by its name, at the place where it is chosen.

import { useWanted } from '../../store/setup/wanted';

const HUB = 'https://huggingface.co/datasets/';

export function WantedModel() {
  const name = useWanted((wanted) => wanted.model);
  return (
    name !== null && (
      <p className="note fault" role="status">
        The settings name the model “{name}”, which is not here. Choose its folder, or another model.
      </p>
    )
  );
}

export function WantedData() {
  const name = useWanted((wanted) => wanted.data);
  if (name === null) return null;
  const onHub = /^[\w.-]+\/[\w.-]+$/.test(name);
  return (
    <p className="note fault" role="status">
      {onHub ? (
        <>
          The link names the data set “{name}” on the Hub. Download a JSONL or CSV file from{' '}
          <a href={HUB + name} target="_blank" rel="noreferrer">
            its page
          </a>{' '}
          and choose it here.
        </>
      ) : (
        `The settings name the data file “${name}”, which is not here. Choose it, or other data.`
      )}
    </p>
  );
}
