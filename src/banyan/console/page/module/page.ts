// One module: where it serves and how it does, on which evidence it is moved, what differed, its processes, what they wrote,
// its store, and how it all came to be.
import { deployWords, releaseShown, stepsOfDeploy } from '../../shared/deploy-words.ts';
import { Lacks } from '../kit/act.ts';
import { Command } from '../kit/command.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html } from '../kit/html.ts';
import { picture } from '../kit/live.ts';
import { instanceBadge, ModuleButtons } from '../kit/module-buttons.ts';
import { ModuleDialogs } from '../kit/module-dialogs.ts';
import { Away, isAway } from '../kit/offered.ts';
import { useResource } from '../kit/resource.ts';
import { UnderWay } from '../kit/under-way.ts';
import { servesSentence } from '../kit/words.ts';
import { Evidence } from './evidence.ts';
import { Ended, History } from './history.ts';
import { Logs } from './logs.ts';
import { Numbers } from './numbers.ts';
import type { Past } from './past.ts';
import { StoreCard } from './store.ts';

export const title = ({ name = '' }: Readonly<Record<string, string>>) => name;

export default function Page({ params: { name = '' } }: { params: Readonly<Record<string, string>> }) {
  const now = picture.value;
  const history = `/admin/history?module=${encodeURIComponent(name)}&limit=20`;
  const past = useResource<Past>(now?.modules[name] ? history : null, { everyMs: 5_000 });
  if (!now) return html`<${Loading} what="Asking what runs where" />`;
  const module = now.modules[name];
  if (!module)
    return html`<${Empty} title=${`There is no module ${name}.`}>There are: ${Object.keys(now.modules).join(', ')}.<//>`;
  const { deploy } = module;
  const instances = Object.entries(module.instances);
  const all = Object.values(module.instances);
  return html`<div class=${isAway() ? 'module stale' : 'module'}>
    <${Away} />
    <${UnderWay} picture=${now} only=${name} />
    <div class="spread"><p><strong>${servesSentence(name, module)}</strong>${module.uses.length > 0 ? html`; it calls ${module.uses.join(', ')}` : null}.</p><${ModuleButtons} name=${name} module=${module} /></div>
    <${Lacks} needs="place" />
    <${Numbers} name=${name} module=${module} picture=${now} />
    <h2>Processes</h2>
    ${deploy ? html`<p>${deployWords(deploy)}.</p>${stepsOfDeploy({ module: name, deploy }).map(([command]) => html`<${Command} key=${command} text=${command} />`)}` : null}
    ${instances.length === 0 ? html`<p class="quiet">None of its own: the monolith runs it.</p>` : html`<ul class="plain">${instances.map(([id, one]) => html`<li key=${id}>${instanceBadge(id, one)} <span class="quiet">${one.pid === undefined ? '' : `pid ${one.pid}`} ${one.url ?? ''} ${releaseShown(all, deploy, one) ?? ''}${one.supervised ? '' : ' started elsewhere: restore does not stop it'}</span>${one.differs ? html`<div class="quiet">differs: ${one.differs}</div>` : null}</li>`)}</ul>`}
    <${Ended} ended=${past.data?.ended ?? []} />
    <${Evidence} name=${name} transfer=${module.transfer} />
    ${module.store ? html`<${StoreCard} name=${name} />` : null}
    <${Logs} name=${name} />
    <${History} name=${name} past=${past} />
    <${ModuleDialogs} picture=${now} only=${name} />
  </div>`;
}
