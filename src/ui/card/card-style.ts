// The run card's style. It is in the card's file, which must stand alone, and follows the reader's light or dark mode.

export const CARD_STYLE = `
:root { color-scheme: light dark; --ink: #1b1e23; --muted: #5a616b; --rule: #d8dadd; --page: #fff; --accent: #3b4cb8; --mark: #b3420f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --muted: #9ba3ad; --rule: #2d3238; --page: #191c20; --accent: #93a2ff; --mark: #ff9d66; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 820px; margin: 0 auto; padding: 24px 16px; }
h1 { font-size: 20px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 0 0 8px; }
h3 { font: 13px ui-monospace, monospace; margin: 12px 0 4px; overflow-wrap: anywhere; }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--rule); padding: 16px 0; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--muted); }
.sub, .when, footer, .key, dt { color: var(--muted); font-size: 12px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 8px 16px; margin: 16px 0; }
.facts dd { margin: 0; font-size: 16px; }
.grid { stroke: var(--rule); }
.frame { fill: none; stroke: var(--rule); }
.raw { fill: none; stroke: var(--accent); stroke-opacity: .4; }
.smooth { fill: none; stroke: var(--accent); stroke-width: 2; }
.eval { fill: var(--page); stroke: var(--mark); stroke-width: 2; }
.trained { fill: var(--accent); }
.k { display: inline-block; width: 16px; margin: 0 6px 3px 12px; border-top: 2px solid var(--accent); }
.raw-key { border-top-width: 1px; margin-left: 0; }
.eval-key { width: 9px; height: 9px; border: 2px solid var(--mark); border-radius: 50%; margin-bottom: 0; }
table { border-collapse: collapse; font-size: 12px; }
th, td { text-align: left; font-weight: 400; padding: 3px 16px 3px 0; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
thead th, tbody th { color: var(--muted); }
.own th, .own td { color: var(--ink); font-weight: 650; }
.wide { overflow-x: auto; }
.memory td, .memory thead th { white-space: nowrap; }
.bar { width: 240px; max-width: 40vw; }
.bar rect { stroke: var(--accent); }
.bar .measured { fill: var(--accent); }
.bar .forecast { fill: none; stroke-dasharray: 4 2; }
.sample { display: grid; grid-template-columns: minmax(80px, 130px) 1fr; gap: 8px; }
.text { white-space: pre-wrap; }
summary { cursor: pointer; font-size: 12px; color: var(--muted); }
details > * { margin-top: 8px; }
footer { border-top: 1px solid var(--rule); padding-top: 12px; }
@media print { details::details-content { content-visibility: visible; height: auto; } }
`;
