// What functions are made of, a kind a time: `cargo bench --bench core -- language`.
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
class Base {
  constructor(value) {
    this.value = value;
  }
  get doubled() { return this.value * 2; }
  add(other) { return this.doubled + other; }
}
class Derived extends Base {
  add(other) { return super.add(other) + 1; }
}
const text = JSON.stringify({ list: [1, 2.5, 3, { name: 'text', none: null }], long: 'x'.repeat(100), escaped: 'a "quoted"\nline' });
const times = (count, call) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += call(i);
  return sum;
};
const kinds = {
  calls: () => fibonacci(16),
  properties() {
    const object = { a: 1, b: 2, c: 3 };
    return times(2_000, (i) => (object.a = i & 7) + object.b + object.c);
  },
  classes: () => times(500, (i) => new Derived(i).add(1)),
  lists: () => times(50, () => [1, 2, 3, 4, 5, 6, 7, 8].map((x) => x * 2).filter((x) => x > 5).reduce((a, b) => a + b, 0)),
  texts: () => times(500, (i) => `item-${i}`.toUpperCase().slice(1).length),
  json: () => times(50, () => JSON.stringify(JSON.parse(text)).length),
  expressions: () => times(50, () => 'the quick brown fox 123'.replace(/\s+/g, '-').split(/-/).length),
  errors: () => times(100, (i) => {
    try {
      throw new Error(`told ${i}`);
    } catch (error) {
      return error.message.length;
    }
  }),
  async promises() {
    const one = async (x) => x + 1;
    let sum = 0;
    for (let i = 0; i < 200; i++) sum += await one(i);
    return sum;
  },
};
export const handler = async ({ kind }) => kinds[kind]();
