// @ts-check
// The places where a file names another: imports and exports from elsewhere, of values and of types.

/** @typedef {import('eslint').Rule.Node} Node */
/** @typedef {Node & { source?: { value?: unknown } | null }} Importing */

/**
 * Listeners of a lint rule that call `check` with every module or package that a file names, as it is written there.
 * @param {(node: Node, source: string) => void} check
 * @returns {import('eslint').Rule.RuleListener}
 */
export function eachImport(check) {
  const statement = (/** @type {Importing} */ node) => {
    if (typeof node.source?.value === 'string') check(node, node.source.value);
  };
  return {
    ImportDeclaration: statement,
    ExportNamedDeclaration: statement,
    ExportAllDeclaration: statement,
    ImportExpression: (node) => statement(node),
    // import('…').Name as a type; a TypeScript node, which ESLint's own types do not know.
    TSImportType: statement,
  };
}
