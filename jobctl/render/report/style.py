"""The style of a report: light or dark like the system of the reader, legible on paper and on a telephone."""

STYLE = """
:root { color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1c2128; --soft: #5b6572; --rule: #dfe3e8; --code: #eef1f4;
  --succeeded: #2f9e5b; --failed: #d23c3c; --running: #d99a1c; --waiting: #c3cad2; --bar: #4a78c8; --notice: #fff3d6;
  --slow: #8a5a00; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161b; --card: #1a2028; --ink: #e4e8ed; --soft: #98a3b0; --rule: #2d3641; --code: #252d37;
  --succeeded: #46b876; --failed: #ec6a6a; --running: #e5b445; --waiting: #46515e; --bar: #7aa5ee;
  --notice: #3a3018; --slow: #e5b445; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; }
section, header { background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  padding: 1rem 1.25rem; margin: 0 0 1rem; }
h1 { font-size: 1.45rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
p { margin: .3rem 0; overflow-wrap: anywhere; }
.soft, figcaption { color: var(--soft); font-size: .88rem; }
.state { display: inline-block; border-radius: 99px; padding: .05rem .7rem; font-size: .9rem; font-weight: 600;
  color: #fff; background: #687482; vertical-align: middle; }
.state.succeeded { background: #237a46; } .state.failed, .state.partial, .state.expired { background: #b83232; }
.state.running { background: #8f6206; }
.notice { background: var(--notice); border-radius: 6px; padding: .4rem .7rem; margin: .5rem 0; }
code, pre { font: .88em/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; background: var(--code);
  border-radius: 4px; padding: .1rem .35rem; overflow-wrap: anywhere; }
pre { padding: .6rem .8rem; margin: .4rem 0; white-space: pre-wrap; user-select: all; }
.progress { height: 14px; border-radius: 7px; overflow: hidden; margin: .8rem 0 .6rem; background: var(--waiting); }
.progress svg { height: 100%; }
dl.figures { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: .5rem 0 0; }
dl.figures div { min-width: 5rem; } dt { color: var(--soft); font-size: .84rem; } dd { margin: 0; }
dl.figures dd { font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 0;
  align-items: baseline; }
dl.facts dd { overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wide .words { min-width: 14rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--rule); }
td { overflow-wrap: anywhere; } th { color: var(--soft); font-size: .84rem; font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; } .nowrap { white-space: nowrap; }
.slow { color: var(--slow); white-space: nowrap; }
details { margin: .1rem 0; } summary { cursor: pointer; }
figure { margin: 0; } svg { display: block; width: 100%; height: auto; }
svg .succeeded { fill: var(--succeeded); } svg .failed { fill: var(--failed); } svg .running { fill: var(--running); }
svg .waiting { fill: var(--waiting); }
svg .bar { fill: var(--bar); } svg .lane { fill: var(--code); } svg .grid { stroke: var(--rule); }
svg .axis { stroke: var(--soft); } svg .mark { stroke: var(--ink); stroke-dasharray: 3 3; }
svg text { fill: var(--soft); font: 11px system-ui, "DejaVu Sans", sans-serif; } svg .label { fill: var(--ink); }
@media (max-width: 38rem) { figure { overflow-x: auto; } figure svg { min-width: 40rem; }
  dl.facts { grid-template-columns: 1fr; } dl.facts dd { margin-bottom: .4rem; } }
@media print { body { background: none; padding: 0; } section, header { break-inside: avoid; } }
"""
