// console: lines go through the door with their level.
((emu) => {
  'use strict';
  const { rt } = emu;
  const levels = { trace: 0, debug: 1, info: 2, log: 2, warn: 3, error: 4 };
  class Console {
    #counts = new Map();
    #times = new Map();
    #indent = '';
    #write;
    #options = {};
    Console = Console;
    constructor(target, errors) {
      if (target?.stdout) {
        errors = target.stderr ?? target.stdout;
        this.#options = target.inspectOptions ?? {};
        target = target.stdout;
      }
      this.#write = target ? (level, text) => (level >= 3 ? errors ?? target : target).write(`${text}\n`) : (level, text) => emu.log(level, text);
      // Methods are used detached everywhere: `promise.catch(console.error)`.
      for (const name of Object.getOwnPropertyNames(Console.prototype)) if (name !== 'constructor') this[name] = this[name].bind(this);
    }
    #out(level, args) {
      let text = rt.formatWithOptions(this.#options, ...args);
      if (this.#indent) text = this.#indent + text.replaceAll('\n', `\n${this.#indent}`);
      this.#write(level, text);
    }
    log(...args) { this.#out(levels.log, args); }
    info(...args) { this.#out(levels.info, args); }
    debug(...args) { this.#out(levels.debug, args); }
    warn(...args) { this.#out(levels.warn, args); }
    error(...args) { this.#out(levels.error, args); }
    trace(...args) {
      const stack = (new Error().stack ?? '').split('\n').slice(1).join('\n');
      this.#out(levels.trace, [`Trace${args.length ? `: ${rt.format(...args)}` : ''}\n${stack}`]);
    }
    dir(value, options) { this.#out(levels.log, [rt.inspect(value, { customInspect: false, ...options })]); }
    dirxml(...args) { this.log(...args); }
    assert(condition, ...args) {
      if (condition) return;
      if (typeof args[0] === 'string') args[0] = `Assertion failed: ${args[0]}`;
      else args.unshift('Assertion failed');
      this.warn(...args);
    }
    count(label = 'default') {
      label = String(label);
      const count = (this.#counts.get(label) ?? 0) + 1;
      this.#counts.set(label, count);
      this.log(`${label}: ${count}`);
    }
    countReset(label = 'default') { this.#counts.delete(String(label)); }
    time(label = 'default') {
      label = String(label);
      if (this.#times.has(label)) this.warn(`Warning: Label '${label}' already exists for console.time()`);
      else this.#times.set(label, emu.now());
    }
    #elapsed(label, end, args) {
      label = String(label);
      const start = this.#times.get(label);
      if (start === undefined) return this.warn(`Warning: No such label '${label}' for console.time${end ? 'End' : 'Log'}()`);
      const ms = emu.now() - start;
      this.log(`${label}: ${ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${ms.toFixed(3)}ms`}`, ...args);
      if (end) this.#times.delete(label);
    }
    timeEnd(label = 'default') { this.#elapsed(label, true, []); }
    timeLog(label = 'default', ...args) { this.#elapsed(label, false, args); }
    timeStamp() {}
    profile() {}
    profileEnd() {}
    group(...args) {
      if (args.length) this.log(...args);
      this.#indent += '  ';
    }
    groupCollapsed(...args) { this.group(...args); }
    groupEnd() { this.#indent = this.#indent.slice(2); }
    table(data, columns) {
      if (data === null || typeof data !== 'object') return this.log(data);
      const rows = [];
      const heads = [];
      let plain = false;
      const entries = data instanceof Map ? [...data].map(([key, value], at) => [at, { Key: key, Values: value }]) : data instanceof Set ? [...data].entries() : Object.entries(data);
      for (const [index, row] of entries) {
        const cells = new Map();
        if (row !== null && typeof row === 'object') {
          for (const key of columns ?? Object.keys(row)) {
            if (!heads.includes(key)) heads.push(key);
            if (Object.hasOwn(row, key)) cells.set(key, rt.inspect(row[key], { depth: 0 }));
          }
        } else {
          plain = true;
          cells.set(table, rt.inspect(row));
        }
        rows.push([String(index), cells]);
      }
      const titles = ['(index)', ...heads, ...(plain ? ['Values'] : [])];
      const lines = rows.map(([index, cells]) => [index, ...heads.map((head) => cells.get(head) ?? ''), ...(plain ? [cells.get(table) ?? ''] : [])]);
      const widths = titles.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at].length)) + 2);
      const rule = (left, middle, right) => left + widths.map((width) => '─'.repeat(width)).join(middle) + right;
      const line = (cells) => `│${cells.map((cell, at) => ` ${cell}`.padEnd(widths[at])).join('│')}│`;
      this.log([rule('┌', '┬', '┐'), line(titles), rule('├', '┼', '┤'), ...lines.map(line), rule('└', '┴', '┘')].join('\n'));
    }
  }
  const table = Symbol('value');
  rt.Console = Console;
  rt.global('console', new Console());
  rt.define('console', () => Object.assign(globalThis.console, { Console }));
})(globalThis.__emu);
