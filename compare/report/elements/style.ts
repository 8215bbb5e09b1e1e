// How the page looks: light, dark and on paper; one column on a phone. A is blue and whole, B is orange and dashed, in
// colours that the colour-blind tell apart (Okabe and Ito). No font is fetched.
export const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2126;--soft:#5a636c;--edge:#d3d8dd;--lane:#eef0f2;--a:#0072b2;--b:#c04f00;--model:#6b7280;--bad:#d12f2f;--slowed:#e0a100;--none:#7a828a;
--c0:#00815f;--c1:#a14a86;--c2:#8a7400;--c3:#3f6fc0;--c4:#b0433b;--c5:#4d8a99;--c6:#7d5a3c;--c7:#8b959e}
@media (prefers-color-scheme:dark){:root{--paper:#14181c;--ink:#e6e9ec;--soft:#a4adb6;--edge:#39424a;--lane:#22292f;--a:#56b4e9;--b:#ee9a3a;--model:#a4adb6;--bad:#e5484d;--slowed:#b98900;--none:#8d97a1;
--c0:#2fbf94;--c1:#d58bbd;--c2:#d8c04a;--c3:#86a8ee;--c4:#e58078;--c5:#7fc0cf;--c6:#c49a74;--c7:#7d8893}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;overflow-wrap:break-word}
main{max-width:1320px;margin:0 auto;padding:20px 16px 60px}
h1{font-size:clamp(1.25rem,1rem + 1.4vw,2rem);line-height:1.25;margin:.4em 0 .6em;max-width:42em}
h2{font-size:1.3rem;margin:2.4em 0 .5em;padding-top:.6em;border-top:1px solid var(--edge)}
h3{font-size:1.05rem;margin:1.4em 0 .4em}h4{font-size:1rem;margin:0 0 .3em}
p{margin:.4em 0;max-width:60em}small{color:var(--soft);font-size:.82em;font-weight:400}
.note,.absent,figcaption,caption{color:var(--soft);font-size:.92rem}.absent{font-style:italic}
.badge{display:inline-block;border:2px solid var(--bad);color:var(--bad);border-radius:4px;padding:0 .5em;font-weight:700;margin-right:.5em}
.side{display:inline-block;min-width:1.5em;text-align:center;border-radius:4px;color:var(--paper);padding:0 .3em}
.side.a{background:var(--a)}.side.b{background:var(--b)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:20px}
.pair>*{min-width:0}
.case{border:1px solid var(--edge);border-top:5px solid var(--none);border-radius:6px;padding:12px 16px}
.case.a{border-top-color:var(--a)}.case.b{border-top-color:var(--b)}.case h2{border:0;margin:0;padding:0}.case ul{margin:.4em 0;padding-left:1.2em}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:24px}
figure{margin:0;min-width:0;break-inside:avoid}figcaption{font-weight:600;color:var(--ink);margin-bottom:4px}
.chart{max-width:520px}.chart>svg{display:block;width:100%;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;fill:var(--ink)}
svg .axis,svg .tick,svg .small{fill:var(--soft);font-size:11px}
.grid{stroke:var(--edge);fill:none}.bound{stroke:var(--bad);stroke-dasharray:2 3;fill:none}
.line{fill:none;stroke-width:2.2}.line.dashed{stroke-dasharray:7 4}
.line.a,.dot.a{stroke:var(--a)}.line.b,.dot.b{stroke:var(--b)}.line.model,.dot.model{stroke:var(--model)}
.dot{stroke-width:1.6}.dot.a{fill:var(--a)}.dot.b{fill:var(--b)}.dot.model{fill:var(--model)}.dot.hollow{fill:var(--paper)}
.legend{list-style:none;margin:4px 0;padding:0;display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.86rem}
.legend svg{width:26px;height:10px;margin-right:6px;vertical-align:middle}.bars-of .legend svg{width:12px;height:12px}
.box{fill:var(--paper);stroke-width:2}.box.a{stroke:var(--a)}.box.b{stroke:var(--b)}.chip{fill:var(--lane);stroke:var(--edge)}.gate{stroke-dasharray:3 2}
svg path.wire{fill:none;stroke:var(--soft);stroke-width:1.5}
.stretch{display:block;width:100%;height:22px}.spans .stretch{height:9px}.bar-name{margin:.6em 0 .2em}
.cut-0{fill:var(--c0)}.cut-1{fill:var(--c1)}.cut-2{fill:var(--c2)}.cut-3{fill:var(--c3)}.cut-4{fill:var(--c4)}.cut-5{fill:var(--c5)}.cut-6{fill:var(--c6)}.cut-7{fill:var(--c7)}.cut-8{fill:var(--model)}
.lane{fill:var(--lane)}rect.wire{opacity:.5}
.spans{list-style:none;margin:.4em 0;padding:0}.spans li{margin:0 0 6px;break-inside:avoid}.what{display:block;font-size:.86rem;line-height:1.3}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}caption{text-align:left;padding:4px 0;caption-side:top}
th,td{padding:4px 10px 4px 0;text-align:right;vertical-align:middle;border-bottom:1px solid var(--edge)}
td{white-space:nowrap}th:first-child,td:first-child,.words{text-align:left}.words,.absent{white-space:normal;min-width:9em}thead th{color:var(--soft);font-weight:600;vertical-align:bottom}th[scope=row]{font-weight:400}
.wide{overflow-x:auto;margin:.6em 0 1.2em;max-width:100%}
.forest{width:100%}.forest .bars{width:34%;min-width:180px;padding:0 12px 0 0}.forest .stretch{height:24px}.forest .primary th,.forest .primary td{font-weight:700}.forest .says{text-align:left;white-space:normal}.forest td small{display:block}
.ticks{display:block;position:relative;height:1.4em}.ticks span{position:absolute;transform:translateX(-50%);font-size:.8rem}.ticks span:first-child{transform:none}.ticks span:last-child{transform:translateX(-100%)}
.one{stroke:var(--ink);stroke-width:1;vector-effect:non-scaling-stroke}.interval.none,.median.none{fill:var(--none)}.interval{opacity:.55}
.against-a{color:var(--a)}.against-b{color:var(--b)}rect.against-a{fill:var(--a)}rect.against-b{fill:var(--b)}
.matrix td,.matrix th{padding:5px 10px;text-align:center}.matrix td:last-child{white-space:normal;min-width:7em}.matrix th[scope=row]{text-align:left;font-weight:700}
.share{background-image:linear-gradient(color-mix(in srgb,var(--bad) calc(var(--share) * .62),transparent) 0 0),linear-gradient(color-mix(in srgb,var(--slowed) calc(var(--slow) * .55),transparent) 0 0);print-color-adjust:exact;-webkit-print-color-adjust:exact}.share small{display:block;color:inherit}
.side,.case{print-color-adjust:exact;-webkit-print-color-adjust:exact}
dl{display:grid;grid-template-columns:minmax(7em,max-content) 1fr;gap:2px 16px;margin:.4em 0}dt{color:var(--soft)}dd{margin:0;min-width:0}
dl.plain{grid-template-columns:1fr}dl.plain dd{font-size:1.15rem;margin-bottom:8px}dl.plain dt{color:var(--ink)}
summary{cursor:pointer;font-weight:600;margin:1em 0 .6em}nav{font-size:.9rem;margin:1em 0}nav a{margin-right:1em;white-space:nowrap;display:inline-block}a{color:var(--a)}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--lane);padding:.1em .3em;border-radius:3px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media screen and (max-width:820px){.forest thead{display:none}.forest tr{display:grid;grid-template-columns:1fr 1fr;gap:0 12px;padding:8px 0;border-bottom:1px solid var(--edge)}
.forest th,.forest td{border:0;padding:1px 0;text-align:left}.forest th,.forest .bars,.forest .says{grid-column:1/-1;width:auto}.forest td[data-name]::before{content:attr(data-name) " ";color:var(--soft);font-weight:400}.forest .says::before{content:none!important}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--edge:#bbb;--lane:#eee;--a:#0072b2;--b:#c04f00;--model:#555;--bad:#d12f2f;--slowed:#e0a100;--none:#777;--c0:#00815f;--c1:#a14a86;--c2:#8a7400;--c3:#3f6fc0;--c4:#b0433b;--c5:#4d8a99;--c6:#7d5a3c;--c7:#8b959e}
html{font-size:11px}body{font-size:1rem}td{white-space:normal}.forest td{white-space:nowrap}.forest .says{white-space:normal}.forest .bars{width:22%;min-width:100px}nav{display:none}details::details-content{content-visibility:visible;height:auto}main{padding:0}.wide{overflow:visible}.wide table{font-size:.74rem}.wide td,.wide th{padding:1px 4px 1px 0}.wide .words{min-width:0}table{font-size:.86rem}.forest .stretch,.stretch{height:16px}th,td{padding:2px 6px 2px 0}h2{margin-top:1.4em}tr,.case{break-inside:avoid}h2,h3,h4{break-after:avoid}.charts{grid-template-columns:1fr 1fr}.pair{grid-template-columns:1fr 1fr}}
`;
