// The words that the seeded products are made of: ten shelves of five things, each made in four ways.
// Words only; what they become is in seed.ts. Changing a code changes the ids of the products made of it.
export interface Thing {
  readonly code: string;
  readonly name: string;
  readonly priceCents: number;
  readonly text: string;
}

export interface Make {
  readonly code: string;
  readonly name: string;
  /** What it does to the price, in percent. */
  readonly percent: number;
  readonly text: string;
}

export interface Shelf {
  readonly code: string;
  readonly text: string;
  readonly things: readonly Thing[];
  readonly makes: readonly Make[];
}

const thing = (code: string, name: string, priceCents: number, text: string): Thing => ({
  code,
  name,
  priceCents,
  text,
});
const make = (code: string, name: string, percent: number, text: string): Make => ({
  code,
  name,
  percent,
  text,
});

const woods = [
  make('OAK', 'Oak', 100, 'Solid European oak, oiled by hand.'),
  make('WAL', 'Walnut', 145, 'Dark walnut with a visible grain, waxed.'),
  make('ASH', 'Ash', 90, 'Pale ash, soaped and light in the hand.'),
  make('BAM', 'Bamboo', 70, 'Bamboo, quick to grow and hard to wear out.'),
];
const cloths = [
  make('LIN', 'Linen', 110, 'Washed linen that softens with every year.'),
  make('WOO', 'Wool', 140, 'Wool from one farm, spun and woven nearby.'),
  make('COT', 'Cotton', 80, 'Organic cotton in a dense weave.'),
  make('HEM', 'Hemp', 100, 'Hemp, rough at first and nearly eternal.'),
];
const metals = [
  make('STE', 'Steel', 100, 'Brushed stainless steel that does not mind the rain.'),
  make('BRA', 'Brass', 150, 'Solid brass, left bare so that it may darken.'),
  make('COP', 'Copper', 170, 'Hammered copper, lined where food touches it.'),
  make('IRO', 'Cast iron', 120, 'Cast iron, seasoned in the foundry.'),
];
const clays = [
  make('STO', 'Stoneware', 100, 'Stoneware fired at 1,250 °C, safe in the dishwasher.'),
  make('POR', 'Porcelain', 140, 'Thin porcelain with a clear glaze.'),
  make('TER', 'Terracotta', 75, 'Unglazed terracotta that breathes.'),
  make('RAK', 'Raku', 190, 'Raku with a crackled glaze; no two are alike.'),
];
const colours = [
  make('MOS', 'Moss green', 100, 'In the green of moss after rain.'),
  make('CLA', 'Clay red', 100, 'In the red of wet clay.'),
  make('INK', 'Ink blue', 100, 'In a blue that is almost black.'),
  make('SAN', 'Sand', 95, 'In the undyed colour of sand.'),
];

export const shelves: readonly Shelf[] = [
  {
    code: 'KIT',
    text: 'From our kitchen shelf.',
    makes: metals,
    things: [
      thing(
        'PAN',
        'frying pan',
        5900,
        'Twenty-four centimetres, for eggs and for anything that should brown.',
      ),
      thing('POT', 'stock pot', 8900, 'Six litres with a lid that closes tightly.'),
      thing('KET', 'kettle', 6400, 'A litre and a half, with a spout that pours where you look.'),
      thing('LAD', 'ladle', 1900, 'Two decilitres a turn, with a hook to hang it by.'),
      thing('MIL', 'pepper mill', 3900, 'A ceramic burr, from dust to crushed.'),
    ],
  },
  {
    code: 'TAB',
    text: 'From our table shelf.',
    makes: clays,
    things: [
      thing('MUG', 'mug', 1600, 'Three decilitres of coffee and a handle for the whole hand.'),
      thing('BOW', 'bowl', 2200, 'For soup, for noodles, for a week of cereal.'),
      thing('PLA', 'dinner plate', 2400, 'Twenty-seven centimetres with a low rim.'),
      thing('TEA', 'teapot', 5200, 'Four cups, a strainer inside and no drip.'),
      thing('JUG', 'water jug', 3400, 'One litre, balanced when it is full.'),
    ],
  },
  {
    code: 'GAR',
    text: 'From our garden shelf.',
    makes: metals,
    things: [
      thing('TRO', 'trowel', 1800, 'For planting and for the weeds between.'),
      thing('CAN', 'watering can', 4200, 'Five litres with a fine rose.'),
      thing('SEC', 'secateurs', 3600, 'A clean cut through wood as thick as a thumb.'),
      thing('LAN', 'garden lantern', 2900, 'Keeps a candle alight in the wind.'),
      thing('RAK', 'hand rake', 1700, 'Five tines for small beds.'),
    ],
  },
  {
    code: 'PLT',
    text: 'For everything that grows indoors.',
    makes: clays,
    things: [
      thing('POT', 'plant pot', 1900, 'Fifteen centimetres, with a hole and a saucer.'),
      thing('HAN', 'hanging planter', 2800, 'With a cord of a metre, for whatever trails.'),
      thing('BON', 'bonsai tray', 4600, 'Shallow, with feet, for a very small banyan.'),
      thing('VAS', 'vase', 3700, 'Narrow at the neck, so that three stems stand well.'),
      thing('HER', 'herb trough', 3200, 'Room for basil, thyme and one that never survives.'),
    ],
  },
  {
    code: 'DES',
    text: 'From our desk shelf.',
    makes: woods,
    things: [
      thing('TRA', 'pen tray', 2100, 'Keeps six pens from rolling away.'),
      thing('STA', 'monitor stand', 6900, 'Lifts a screen by eleven centimetres.'),
      thing('RUL', 'ruler', 1200, 'Thirty centimetres, engraved and not printed.'),
      thing('BOX', 'letter box', 4300, 'For the letters that still come on paper.'),
      thing('BOO', 'book stand', 3800, 'Holds a heavy book open at any page.'),
    ],
  },
  {
    code: 'LIV',
    text: 'From our living room shelf.',
    makes: woods,
    things: [
      thing('STO', 'stool', 9800, 'Three legs: it cannot wobble.'),
      thing('SHE', 'wall shelf', 7400, 'Eighty centimetres on hidden brackets.'),
      thing('LAM', 'table lamp', 8600, 'A warm light, dimmed by touch.'),
      thing('CLO', 'wall clock', 5400, 'A silent movement and no numbers.'),
      thing('FRA', 'picture frame', 2600, 'For a print of thirty by forty, behind real glass.'),
    ],
  },
  {
    code: 'BED',
    text: 'From our bedroom shelf.',
    makes: cloths,
    things: [
      thing('BLA', 'blanket', 9200, 'A hundred and forty by two hundred, for a sofa or a bed.'),
      thing('PIL', 'pillowcase', 2700, 'Fifty by seventy, closed by an envelope fold.'),
      thing('SHE', 'bed sheet', 5600, 'Flat, for one, with mitred corners.'),
      thing('ROB', 'bath robe', 8400, 'Two deep pockets and a belt that stays.'),
      thing('TOW', 'towel', 2300, 'Seventy by a hundred and forty, with a loop.'),
    ],
  },
  {
    code: 'WEA',
    text: 'From our wardrobe.',
    makes: cloths,
    things: [
      thing('SCA', 'scarf', 3900, 'Long enough to go round twice.'),
      thing('HAT', 'hat', 4400, 'Folds flat and forgives it.'),
      thing('APR', 'apron', 3600, 'Crossed at the back, with a pocket for a towel.'),
      thing('SHI', 'work shirt', 6800, 'Double stitched, with horn buttons.'),
      thing('SOC', 'pair of socks', 1400, 'Reinforced where the others give up.'),
    ],
  },
  {
    code: 'OUT',
    text: 'For being outside.',
    makes: colours,
    things: [
      thing('TEN', 'two-person tent', 24900, 'Two kilos and up in four minutes.'),
      thing('BAG', 'day pack', 7900, 'Twenty-two litres with a dry pocket.'),
      thing('BOT', 'water bottle', 2600, 'Insulated: cold for a day, hot for half of one.'),
      thing('HAM', 'hammock', 5900, 'Carries 200 kg between two patient trees.'),
      thing('SEA', 'sitting pad', 1500, 'A dry seat that weighs nothing.'),
    ],
  },
  {
    code: 'PAP',
    text: 'From our paper shelf.',
    makes: colours,
    things: [
      thing('NOT', 'notebook', 1400, 'A hundred and sixty dotted pages that lie flat.'),
      thing('PLN', 'week planner', 1900, 'Fifty-two weeks without a date, begun when you like.'),
      thing('CAR', 'set of cards', 1100, 'Eight folded cards with envelopes.'),
      thing('FOL', 'document folder', 2200, 'Holds forty sheets and a passport.'),
      thing('WRA', 'roll of gift wrap', 900, 'Five metres, printed on both sides.'),
    ],
  },
];
