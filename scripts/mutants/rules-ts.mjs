// @ts-check
// Where a fault can be planted in a TypeScript file, and which: by its syntax tree, so that comments, strings, types and
// imports stay as they are and the file still parses.

import ts from 'typescript';

/** @typedef {{ rule: string, start: number, end: number, replacement: string }} Site characters start to end (exclusive) */

const K = ts.SyntaxKind;

/** @type {Partial<Record<ts.SyntaxKind, { rule: string, to: string }>>} */
const BINARY = {
  [K.LessThanToken]: { rule: 'bound', to: '<=' },
  [K.LessThanEqualsToken]: { rule: 'bound', to: '<' },
  [K.GreaterThanToken]: { rule: 'bound', to: '>=' },
  [K.GreaterThanEqualsToken]: { rule: 'bound', to: '>' },
  [K.EqualsEqualsEqualsToken]: { rule: 'equality', to: '!==' },
  [K.ExclamationEqualsEqualsToken]: { rule: 'equality', to: '===' },
  [K.PlusToken]: { rule: 'arithmetic', to: '-' },
  [K.MinusToken]: { rule: 'arithmetic', to: '+' },
  [K.AsteriskToken]: { rule: 'arithmetic', to: '/' },
  [K.SlashToken]: { rule: 'arithmetic', to: '*' },
  [K.PercentToken]: { rule: 'arithmetic', to: '*' },
  [K.LessThanLessThanToken]: { rule: 'arithmetic', to: '>>' },
  [K.GreaterThanGreaterThanToken]: { rule: 'arithmetic', to: '<<' },
  [K.GreaterThanGreaterThanGreaterThanToken]: { rule: 'arithmetic', to: '<<' },
  [K.AmpersandToken]: { rule: 'arithmetic', to: '|' },
  [K.BarToken]: { rule: 'arithmetic', to: '&' },
  [K.PlusEqualsToken]: { rule: 'assignment', to: '-=' },
  [K.MinusEqualsToken]: { rule: 'assignment', to: '+=' },
  [K.AsteriskEqualsToken]: { rule: 'assignment', to: '/=' },
  [K.SlashEqualsToken]: { rule: 'assignment', to: '*=' },
  [K.AmpersandAmpersandToken]: { rule: 'logic', to: '||' },
  [K.BarBarToken]: { rule: 'logic', to: '&&' },
};

/** Texts are also joined by + and +=; without its type, nothing else is known about an operand. @returns {boolean} */
function isText(/** @type {ts.Expression} */ node) {
  if (ts.isParenthesizedExpression(node)) return isText(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === K.PlusToken) return isText(node.left) || isText(node.right);
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** Whether it counts something: a name that loops and tables use, or a sum. A key of a record is left alone. */
function isIndex(/** @type {ts.Expression} */ node) {
  if (ts.isIdentifier(node)) return /^([a-z]|at|id|index|row|rows|layer|step|period|slot|part|position|\w*(Index|At))$/.test(node.text);
  return ts.isBinaryExpression(node) && BINARY[node.operatorToken.kind]?.rule === 'arithmetic' && !isText(node);
}

/** Values whose order may be mistaken; functions, texts and objects differ too much. */
function isPlain(/** @type {ts.Expression | undefined} */ node) {
  return node !== undefined && (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) || ts.isNumericLiteral(node));
}

/** The neighbouring number: one less if it is odd, so that ones become zeros, else one more. */
export function neighbour(/** @type {string} */ literal) {
  const value = Number(literal.replaceAll('_', ''));
  return String(value % 2 === 1 ? value - 1 : value + 1);
}

/** Their result does not depend on the order of the first two arguments. */
const COMMUTATIVE = /^Math\.(min|max|hypot|imul)$/;

/** @returns {Site[]} in the order of the file */
export function typescriptSites(/** @type {string} */ text, /** @type {string} */ fileName) {
  const source = ts.createSourceFile(
    fileName,
    text,
    ts.ScriptTarget.Latest,
    true,
    fileName.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  );
  /** @type {Site[]} */
  const sites = [];
  const add = (/** @type {string} */ rule, /** @type {ts.Node} */ node, /** @type {string} */ replacement) =>
    sites.push({ rule, start: node.getStart(source), end: node.getEnd(), replacement });

  function binary(/** @type {ts.BinaryExpression} */ node) {
    const found = BINARY[node.operatorToken.kind];
    const joins = node.operatorToken.kind === K.PlusToken || node.operatorToken.kind === K.PlusEqualsToken;
    if (found && !(joins && (isText(node.left) || isText(node.right)))) add(found.rule, node.operatorToken, found.to);
  }

  function call(/** @type {ts.CallExpression} */ node) {
    const callee = node.expression.getText(source);
    if (callee === 'Math.min' || callee === 'Math.max')
      add('min and max', node.expression, callee === 'Math.min' ? 'Math.max' : 'Math.min');
    const [first, second] = node.arguments;
    if (!isPlain(first) || !isPlain(second) || first === undefined || second === undefined || COMMUTATIVE.test(callee)) return;
    const [a, b] = [first.getText(source), second.getText(source)];
    const between = text.slice(first.getEnd(), second.getStart(source));
    if (a === b) return;
    sites.push({ rule: 'arguments', start: first.getStart(source), end: second.getEnd(), replacement: b + between + a });
  }

  function visit(/** @type {ts.Node} */ node) {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) binary(node);
    if (ts.isCallExpression(node)) call(node);
    if (ts.isIfStatement(node)) add('negation', node.expression, `!(${node.expression.getText(source)})`);
    if (ts.isConditionalExpression(node)) add('negation', node.condition, `!(${node.condition.getText(source)})`);
    if (ts.isElementAccessExpression(node) && isIndex(node.argumentExpression))
      add('index', node.argumentExpression, `${node.argumentExpression.getText(source)} + 1`);
    if (ts.isNumericLiteral(node) && !(ts.isPropertyAssignment(node.parent) && node.parent.name === node))
      add('constant', node, neighbour(node.getText(source)));
    // The type check already notices if an await whose value is used is missing.
    if (ts.isExpressionStatement(node) && ts.isAwaitExpression(node.expression))
      add('await', node.expression, node.expression.expression.getText(source));
    ts.forEachChild(node, visit);
  }
  visit(source);
  return sites.sort((a, b) => a.start - b.start);
}
