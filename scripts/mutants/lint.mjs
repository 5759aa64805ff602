// @ts-check
// The linter's rule that sees a missing await, on one file with a fault in it.

import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

/** @returns {(file: string, text: string) => Promise<boolean>} true if a promise is left alone that should not be */
export function floatingPromises(/** @type {string} */ tree) {
  const eslint = new ESLint({
    cwd: tree,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.{ts,tsx}'],
        languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: tree } },
        plugins: { '@typescript-eslint': tseslint.plugin },
        linterOptions: { reportUnusedDisableDirectives: 'off' },
        rules: { '@typescript-eslint/no-floating-promises': 'error' },
      },
    ],
  });
  return async (file, text) => {
    const [result] = await eslint.lintText(text, { filePath: file });
    return result !== undefined && result.messages.some(({ ruleId }) => ruleId === '@typescript-eslint/no-floating-promises');
  };
}
