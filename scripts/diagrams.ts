// `npm run diagrams`: writes the checkout's two diagrams into ARCHITECTURE.md, from the table of steps and from what
// a real shop did (test/saga/diagrams.ts). A test says when they are not what the code gives any more.
import { readFileSync, writeFileSync } from 'node:fs';
import {
  choreographyDiagram,
  orchestrationDiagram,
  replaced,
  watchChoreography,
} from '../test/saga/diagrams.ts';
import { openStage } from '../test/saga-chaos/stage.ts';

const stage = await openStage('postgres');
try {
  const file = new URL('../ARCHITECTURE.md', import.meta.url);
  let text = readFileSync(file, 'utf8');
  text = replaced(text, 'choreography', choreographyDiagram(await watchChoreography(stage)));
  text = replaced(text, 'orchestration', orchestrationDiagram());
  writeFileSync(file, text);
} finally {
  await stage.stop();
}
