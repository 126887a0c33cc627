// A generator of random choices: the same seed, the same run.

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  // 32 random bits (a linear step, then a mix of its bits).
  bits() {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  }

  // 0 <= result < n
  below(n) {
    return Math.floor((this.bits() / 2 ** 32) * n);
  }

  between(low, high) {
    return low + this.below(high - low + 1);
  }

  chance(p) {
    return this.bits() / 2 ** 32 < p;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  big(low, high) {
    const wide = (BigInt(this.bits()) << 64n) | (BigInt(this.bits()) << 32n) | BigInt(this.bits());
    return low + (wide % (high - low + 1n));
  }

  bytes(n) {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }
}
