// The first file of the page: it begins all that runs for as long as the page is open, and draws.
import { App } from './app.ts';
import { html, render } from './kit/html.ts';
import { startLive } from './kit/live.ts';
import { startRouter } from './kit/router.ts';

startRouter();
startLive();
const root = document.getElementById('app')!;
root.replaceChildren();
render(html`<${App} />`, root);
