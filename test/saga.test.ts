// The checkout's outcomes in both styles, in one process: the slice of the whole table (saga-places.long.test.ts)
// that takes seconds.

import { checkoutSuite, styles } from './saga/checkout.ts';
import { withShop } from './shop.ts';

withShop((shop) => {
  for (const style of styles) checkoutSuite(shop, style, { quick: true });
});
