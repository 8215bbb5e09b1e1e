// How a line gets from box to box without passing behind another: straight where nothing stands between, else around the corners of
// what does, by the shortest way with few bends. Where a module might stand counts as where one stands: lines stay where they are
// when a module moves. Pure; what was found is kept with the layout.
import { BOX, type Layout, type Place } from './layout.ts';

interface Graph {
  readonly boxes: readonly Place[];
  readonly corners: readonly Place[];
  /** By corner: which others it sees. */
  readonly sees: readonly (readonly number[])[];
  readonly found: Map<string, readonly Place[]>;
}

/** A bend costs as much as so many units of way. */
const BEND = 40;
/** Above the boxes stand the names of the sides. */
const HEAD = 44;

const graphs = new WeakMap<Layout, Map<number, Graph>>();

/** From edge to edge of the boxes at these places, with its bends. @param margin kept from all others. */
export function routeBetween(layout: Layout, from: Place, to: Place, margin: number): readonly Place[] {
  const graph = graphOf(layout, margin);
  const key = `${from.x} ${from.y} ${to.x} ${to.y}`;
  let points = graph.found.get(key);
  if (!points) {
    points = onEdges(shortest(graph, from, to, margin));
    graph.found.set(key, points);
  }
  return points;
}

function graphOf(layout: Layout, margin: number): Graph {
  const known = graphs.get(layout) ?? new Map<number, Graph>();
  graphs.set(layout, known);
  let graph = known.get(margin);
  if (graph) return graph;
  const boxes = [...layout.near.values(), ...layout.far.values()];
  const corners = boxes
    .flatMap(({ x, y }) => [
      { x: x - margin, y: y - margin },
      { x: x + BOX.width + margin, y: y - margin },
      { x: x - margin, y: y + BOX.height + margin },
      { x: x + BOX.width + margin, y: y + BOX.height + margin },
    ])
    .filter(({ x, y }) => x > 0 && x < layout.width && y > HEAD && y < layout.height)
    .filter((one) => isClear(one, one, boxes, margin));
  const sees = corners.map((one) =>
    corners.flatMap((other, at) => (other !== one && isClear(one, other, boxes, margin) ? [at] : [])),
  );
  graph = { boxes, corners, sees, found: new Map() };
  known.set(margin, graph);
  return graph;
}

/** From middle to middle. */
function shortest({ boxes, corners, sees }: Graph, from: Place, to: Place, margin: number): Place[] {
  const [start, end] = [middleOf(from), middleOf(to)];
  const others = (...own: readonly Place[]) =>
    boxes.filter((box) => !own.some(({ x, y }) => box.x === x && box.y === y));
  if (isClear(start, end, others(from, to), Math.min(margin, 6))) return [start, end];
  const [besideFrom, besideTo] = [others(from), others(to)];
  const cost = corners.map((one) =>
    isClear(start, one, besideFrom, margin) ? far(start, one) + BEND : Number.POSITIVE_INFINITY,
  );
  const before: (number | undefined)[] = corners.map(() => undefined);
  const open = new Set(corners.keys());
  for (;;) {
    let at: number | undefined;
    for (const one of open)
      if (cost[one]! < (at === undefined ? Number.POSITIVE_INFINITY : cost[at]!)) at = one;
    if (at === undefined) break;
    open.delete(at);
    for (const next of sees[at]!) {
      const sum = cost[at]! + far(corners[at]!, corners[next]!) + BEND;
      if (sum >= cost[next]!) continue;
      cost[next] = sum;
      before[next] = at;
    }
  }
  let [last, least]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const [at, one] of corners.entries()) {
    const sum = cost[at]! + far(one, end);
    if (sum < least && isClear(one, end, besideTo, margin)) [last, least] = [at, sum];
  }
  const way: Place[] = [];
  for (let at = last; at !== undefined; at = before[at]) way.unshift(corners[at]!);
  return [start, ...way, end];
}

const middleOf = ({ x, y }: Place): Place => ({ x: x + BOX.width / 2, y: y + BOX.height / 2 });

const far = (a: Place, b: Place) => Math.hypot(b.x - a.x, b.y - a.y);

function onEdges(way: readonly Place[]): Place[] {
  const [start, end] = [way[0]!, way.at(-1)!];
  return [onEdge(start, way[1]!), ...way.slice(1, -1), onEdge(end, way.at(-2)!)];
}

/** Where a line from the middle of a box leaves it. */
function onEdge(from: Place, to: Place): Place {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (dx === 0 && dy === 0) return from;
  const scale = 1 / Math.max(Math.abs(dx) / (BOX.width / 2 + 3), Math.abs(dy) / (BOX.height / 2 + 3));
  return { x: from.x + dx * scale, y: from.y + dy * scale };
}

/** Whether a straight line keeps almost `margin` from all of these boxes. */
export function isClear(a: Place, b: Place, boxes: readonly Place[], margin: number): boolean {
  const keep = margin - 1;
  return !boxes.some(({ x, y }) => {
    let [enter, leave] = [0, 1];
    for (const [start, way, low, high] of [
      [a.x, b.x - a.x, x - keep, x + BOX.width + keep],
      [a.y, b.y - a.y, y - keep, y + BOX.height + keep],
    ] as const) {
      if (way === 0) {
        if (start <= low || start >= high) return false;
        continue;
      }
      const [one, other] = [(low - start) / way, (high - start) / way];
      enter = Math.max(enter, Math.min(one, other));
      leave = Math.min(leave, Math.max(one, other));
    }
    return enter < leave;
  });
}
