// The position below which nothing can appear in an outbox any more.
//
// Positions are drawn before their transactions commit, so a row may appear below rows that were already sent:
// a cursor would skip it for ever. But reading from the start every time walks over the index entries of all
// rows sent since the last vacuum (500,000 rows in batches of 1,000: 125 million of them). So:
// 1. A claim sees rows up to position P. After that its transaction draws an id of its own, X.
// 2. A later claim sees that every transaction with an id below X has ended. What is still open drew its id,
// and so its positions, after the first claim: they are above P. No new row can appear up to P, so the rows
// there are read once only. (The snapshot's xmax cannot be X: it is one past the last transaction that has
// ended, and one that is open may have that very id, and positions below P.)

interface Sample {
  readonly next: bigint;
  readonly position: bigint;
}

export class LowWater {
  #settled = 0n;
  readonly #samples: Sample[] = [];

  /** Look at positions above this one. */
  get position(): string {
    return String(this.#settled);
  }

  /**
   * After every row of a claim has been sent and removed.
   * @param xmin the oldest transaction that was open when the rows were read (pg_snapshot_xmin)
   * @param own the id of the transaction that read them, drawn after its snapshot (pg_current_xact_id)
   * @param last the highest position among the rows
   */
  sent(xmin: string, own: string, last: string): void {
    const oldest = BigInt(xmin);
    const reached = BigInt(last);
    while (this.#samples[0] && this.#samples[0].next <= oldest) {
      const { position } = this.#samples.shift()!;
      // A claim takes the lowest rows up to a limit: beyond its last one there may be rows it did not take.
      const settled = position < reached ? position : reached;
      if (settled > this.#settled) this.#settled = settled;
    }
    this.#samples.push({ next: BigInt(own), position: reached });
  }

  /** Something was not sent, or another relay may have worked here: look at everything again. */
  reset(): void {
    this.#settled = 0n;
    this.#samples.length = 0;
  }
}
