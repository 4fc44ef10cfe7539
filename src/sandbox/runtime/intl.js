// Intl: QuickJS has none. This one knows English (United States) and every time zone; it says so in `resolvedOptions`, and what it does not
// have throws naming itself.
((emu) => {
  'use strict';
  const { rt } = emu;
  if (globalThis.Intl !== undefined) return;
  rt.lazyGlobal('Intl', () => {
    const locale = 'en-US';
    const list = (locales) => (locales === undefined ? [] : [locales].flat().map(String));
    const canonical = (tag) => {
      const parts = tag.split('-');
      if (!/^[a-z]{2,8}$/i.test(parts[0])) throw new RangeError(`Incorrect locale information provided: ${tag}`);
      return parts.map((part, at) => (at === 0 ? part.toLowerCase() : part.length === 2 ? part.toUpperCase() : part.length === 4 ? part[0].toUpperCase() + part.slice(1).toLowerCase() : part)).join('-');
    };
    const base = (Class, name) => {
      Class.supportedLocalesOf = (locales) => list(locales).map(canonical).filter((tag) => tag.startsWith('en'));
      rt.tag(Class, `Intl.${name}`);
      // Like the real ones, these may be called without `new`.
      return new Proxy(Class, { apply: (target, self, args) => new target(...args) });
    };
    const pad = (value) => String(value).padStart(2, '0');
    const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
    const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
    const offsets = new Map();
    const fixed = /^([+-])(\d\d)(?::?(\d\d))?$/;
    const lookup = (zone, ms) => {
      if (zone === 'UTC') return { zone, offset: 0, name: 'UTC' };
      const match = fixed.exec(zone);
      if (match) return { zone: `${match[1]}${match[2]}:${match[3] ?? '00'}`, offset: (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60), name: `GMT${zone}` };
      // Offsets change on quarter hours at the most.
      const key = `${zone} ${Math.floor(ms / 900000)}`;
      let found = offsets.get(key);
      if (!found) {
        found = JSON.parse(emu.call('zone', JSON.stringify([zone, ms]), null)[0]);
        if (offsets.size > 500) offsets.clear();
        offsets.set(key, found);
      }
      return found;
    };
    const zoneName = (zone) => {
      if (/^(utc|gmt|etc\/(utc|gmt)|z)$/i.test(zone)) return 'UTC';
      return lookup(zone, 0).zone;
    };
    const styles = {
      date: { full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, long: { year: 'numeric', month: 'long', day: 'numeric' }, medium: { year: 'numeric', month: 'short', day: 'numeric' }, short: { year: '2-digit', month: 'numeric', day: 'numeric' } },
      time: { full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' }, long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }, medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' }, short: { hour: 'numeric', minute: '2-digit' } },
    };
    const dateKeys = ['weekday', 'era', 'year', 'month', 'day'];
    const timeKeys = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
    class DateTimeFormat {
      #options;
      #zone;
      #locale;
      #bound;
      constructor(locales, options = {}) {
        options ??= {};
        this.#locale = list(locales).map(canonical)[0] ?? locale;
        this.#zone = options.timeZone === undefined ? zoneName(rt.process.env.TZ?.replace(/^:/, '') || 'UTC') : zoneName(String(options.timeZone));
        const own = {};
        for (const key of [...dateKeys, ...timeKeys, 'timeZoneName', 'hour12', 'hourCycle', 'dateStyle', 'timeStyle']) if (options[key] !== undefined) own[key] = options[key];
        if (own.dateStyle || own.timeStyle) Object.assign(own, own.dateStyle && styles.date[own.dateStyle], own.timeStyle && styles.time[own.timeStyle]);
        else if (![...dateKeys.filter((key) => key !== 'era'), ...timeKeys].some((key) => own[key] !== undefined)) Object.assign(own, { year: 'numeric', month: 'numeric', day: 'numeric' });
        this.#options = own;
      }
      static defaults(locales, options, need) {
        const own = { ...options };
        const has = (keys) => keys.some((key) => own[key] !== undefined);
        const missing = own.dateStyle === undefined && own.timeStyle === undefined && !has(need === 'date' ? dateKeys : need === 'time' ? timeKeys : [...dateKeys, ...timeKeys]);
        if (missing && need !== 'time') Object.assign(own, { year: 'numeric', month: 'numeric', day: 'numeric' });
        if (missing && need !== 'date') Object.assign(own, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
        return new DateTimeFormat(locales, own);
      }
      get format() { return (this.#bound ??= (date) => this.formatToParts(date).map((part) => part.value).join('')); }
      formatToParts(date) {
        const ms = date === undefined ? Date.now() : Number(date);
        if (!Number.isFinite(ms)) throw new RangeError('Invalid time value');
        const zone = lookup(this.#zone, ms);
        const at = new Date(ms + zone.offset * 1000);
        const o = this.#options;
        const twelve = o.hour12 ?? (o.hourCycle ? o.hourCycle === 'h12' || o.hourCycle === 'h11' : true);
        const parts = [];
        const put = (type, value) => parts.push({ type, value: String(value) });
        const text = (value) => put('literal', value);
        const number = (value, style) => (style === '2-digit' ? pad(value % 100) : String(value));
        const year = at.getUTCFullYear();
        const shownYear = o.year && number(o.era && year <= 0 ? 1 - year : year, o.year);
        const words = o.month && !['numeric', '2-digit'].includes(o.month);
        const name = (names, index, style) => (style === 'long' ? names[index] : style === 'narrow' ? names[index][0] : names[index].slice(0, 3));
        if (o.weekday) put('weekday', name(days, at.getUTCDay(), o.weekday));
        if (o.weekday && (o.year || o.month || o.day)) text(', ');
        if (words) {
          put('month', name(months, at.getUTCMonth(), o.month));
          if (o.day) {
            text(' ');
            put('day', number(at.getUTCDate(), o.day));
          }
          if (shownYear) {
            text(o.day ? ', ' : ' ');
            put('year', shownYear);
          }
        } else {
          let first = true;
          const slash = () => {
            if (!first) text('/');
            first = false;
          };
          if (o.month) {
            slash();
            put('month', number(at.getUTCMonth() + 1, o.month));
          }
          if (o.day) {
            slash();
            put('day', number(at.getUTCDate(), o.day));
          }
          if (shownYear) {
            slash();
            put('year', shownYear);
          }
        }
        if (o.era) {
          text(' ');
          put('era', o.era === 'long' ? (year > 0 ? 'Anno Domini' : 'Before Christ') : o.era === 'narrow' ? (year > 0 ? 'A' : 'B') : year > 0 ? 'AD' : 'BC');
        }
        const date1 = parts.length > 0;
        if (o.hour || o.minute || o.second || o.fractionalSecondDigits) {
          if (date1) text(o.dateStyle === 'full' || o.dateStyle === 'long' ? ' at ' : ', ');
          let first = true;
          const colon = (mark = ':') => {
            if (!first) text(mark);
            first = false;
          };
          if (o.hour) {
            const hour = at.getUTCHours();
            colon();
            // A clock of 24 hours always shows two digits in this language.
            const cycle = o.hour12 === undefined ? o.hourCycle : undefined;
            const shown = twelve ? hour % 12 || (cycle === 'h11' ? 0 : 12) : hour === 0 && (cycle === 'h24' || (o.hour12 === false && cycle === undefined)) ? 24 : hour;
            put('hour', twelve && o.hour !== '2-digit' ? shown : pad(shown));
          }
          if (o.minute) {
            colon();
            put('minute', o.hour || o.minute === '2-digit' ? pad(at.getUTCMinutes()) : at.getUTCMinutes());
          }
          if (o.second) {
            colon();
            put('second', o.minute || o.second === '2-digit' ? pad(at.getUTCSeconds()) : at.getUTCSeconds());
          }
          if (o.fractionalSecondDigits) {
            colon('.');
            put('fractionalSecond', String(at.getUTCMilliseconds()).padStart(3, '0').slice(0, o.fractionalSecondDigits));
          }
          if (o.hour && twelve) {
            text(' ');
            put('dayPeriod', at.getUTCHours() < 12 ? 'AM' : 'PM');
          }
        }
        if (o.timeZoneName) {
          if (parts.length) text(date1 && !o.hour ? ', ' : ' ');
          const minutes = Math.abs(zone.offset / 60);
          const sign = zone.offset < 0 ? '-' : '+';
          const short = zone.offset === 0 ? 'GMT' : `GMT${sign}${Math.floor(minutes / 60)}${minutes % 60 ? `:${pad(minutes % 60)}` : ''}`;
          const long = zone.offset === 0 ? 'GMT' : `GMT${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
          const known = /^[A-Z]{3,4}$/.test(zone.name) && /^(America|US|UTC)/.test(this.#zone) ? zone.name : short;
          put('timeZoneName', { longOffset: long, shortOffset: short, short: known, shortGeneric: known, long: this.#zone === 'UTC' ? 'Coordinated Universal Time' : long, longGeneric: long }[o.timeZoneName] ?? short);
        }
        return parts;
      }
      formatRange(from, to) { return `${this.format(from)} – ${this.format(to)}`; }
      formatRangeToParts(from, to) { return [...this.formatToParts(from).map((part) => ({ ...part, source: 'startRange' })), { type: 'literal', value: ' – ', source: 'shared' }, ...this.formatToParts(to).map((part) => ({ ...part, source: 'endRange' }))]; }
      resolvedOptions() {
        const { dateStyle, timeStyle, ...rest } = this.#options;
        const hour = rest.hour ? { hourCycle: rest.hourCycle ?? (rest.hour12 === false ? 'h23' : 'h12'), hour12: rest.hour12 ?? true } : {};
        return { locale: this.#locale.startsWith('en') ? this.#locale : locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: this.#zone, ...rest, ...hour };
      }
    }
    const round = (value, digits, mode) => {
      if (!Number.isFinite(value)) return String(value);
      if (mode === 'trunc') return String(Math.trunc(value * 10 ** digits) / 10 ** digits);
      // Decimal digits as written, so that 1.005 rounds as its text says.
      const shifted = Number(`${Math.abs(value)}e${digits}`);
      const text = Number.isFinite(shifted) ? Number(`${Math.round(shifted)}e-${digits}`).toFixed(digits) : Math.abs(value).toFixed(digits);
      return value < 0 ? `-${text}` : text;
    };
    const symbols = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', BRL: 'R$', CAD: 'CA$', AUD: 'A$', MXN: 'MX$', NZD: 'NZ$', ILS: '₪', VND: '₫', TWD: 'NT$', HKD: 'HK$' };
    const whole = new Set(['JPY', 'KRW', 'VND', 'CLP', 'ISK', 'XAF', 'XOF', 'PYG', 'UGX']);
    class NumberFormat {
      #options;
      #locale;
      #bound;
      constructor(locales, options = {}) {
        this.#locale = list(locales).map(canonical)[0] ?? locale;
        const style = options.style ?? 'decimal';
        if (!['decimal', 'percent', 'currency', 'unit'].includes(style)) throw new RangeError(`Value ${style} out of range for Intl.NumberFormat options property style`);
        if (style === 'currency' && !options.currency) throw new TypeError('Currency code is required with currency style.');
        const currency = options.currency === undefined ? undefined : String(options.currency).toUpperCase();
        const digits = style === 'currency' ? (whole.has(currency) ? 0 : 2) : undefined;
        const compact = options.notation === 'compact';
        const min = options.minimumFractionDigits ?? Math.min(digits ?? 0, options.maximumFractionDigits ?? 20);
        const max = options.maximumFractionDigits ?? Math.max(min, digits ?? (style === 'percent' || compact ? 0 : 3));
        if (!(min >= 0 && max <= 100 && min <= max)) throw new RangeError('maximumFractionDigits value is out of range.');
        if (options.notation === 'scientific' || options.notation === 'engineering') throw rt.missing(`NumberFormat({ notation: '${options.notation}' })`, 'Intl');
        this.#options = { ...options, style, currency, minimumFractionDigits: min, maximumFractionDigits: max, useGrouping: options.useGrouping ?? (compact ? 'min2' : 'auto') };
      }
      get format() { return (this.#bound ??= (value) => this.formatToParts(value).map((part) => part.value).join('')); }
      formatToParts(value) {
        const o = this.#options;
        const parts = [];
        const put = (type, text) => parts.push({ type, value: text });
        const big = typeof value === 'bigint';
        let number = big ? value : Number(value);
        const negative = Object.is(number, -0) || number < 0;
        if (negative) number = -number;
        let suffix = '';
        if (o.style === 'percent') number = big ? number * 100n : number * 100;
        let { minimumFractionDigits: min, maximumFractionDigits: max } = o;
        if (o.notation === 'compact') {
          number = Number(number);
          const at = Math.min(4, Math.floor(Math.log10(Math.max(1, number)) / 3));
          number /= 1000 ** at;
          suffix = o.compactDisplay === 'long' ? ['', ' thousand', ' million', ' billion', ' trillion'][at] : ['', 'K', 'M', 'B', 'T'][at];
          if (o.maximumFractionDigits === 0 && number < 100 && number % 1) max = number < 10 ? 1 : 0;
        }
        const sign = o.signDisplay ?? 'auto';
        let text;
        if (big) text = String(number);
        else if (!Number.isFinite(number)) text = Number.isNaN(number) ? 'NaN' : '∞';
        else if (o.maximumSignificantDigits || o.minimumSignificantDigits) {
          text = Number(number.toPrecision(o.maximumSignificantDigits ?? 21)).toFixed(20).replace(/\.?0+$/, '');
          const have = text.replace('.', '').replace(/^0+/, '').length;
          if (o.minimumSignificantDigits > have) text += `${text.includes('.') ? '' : '.'}${'0'.repeat(o.minimumSignificantDigits - have)}`;
        } else {
          text = round(number, Math.min(max, 20), o.roundingMode);
          let [int, fraction = ''] = text.split('.');
          while (fraction.length > min && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
          text = fraction ? `${int}.${fraction}` : int;
        }
        const zero = /^[0.]*$/.test(text);
        const shownSign = sign === 'never' ? '' : negative && !(sign === 'exceptZero' && zero) && !(sign === 'negative' && zero) ? '-' : (sign === 'always' || (sign === 'exceptZero' && !zero)) && !negative ? '+' : '';
        const accounting = o.currencySign === 'accounting' && shownSign === '-';
        if (accounting) put('literal', '(');
        else if (shownSign) put(shownSign === '-' ? 'minusSign' : 'plusSign', shownSign);
        if (o.style === 'currency' && o.currencyDisplay !== 'name') {
          const symbol = o.currencyDisplay === 'code' ? o.currency : symbols[o.currency] ?? o.currency;
          put('currency', symbol);
          if (/[A-Z]$/.test(symbol)) put('literal', '\u00a0');
        }
        let [int, fraction] = text.split('.');
        if (int === 'NaN') put('nan', 'NaN');
        else if (int === '∞') put('infinity', '∞');
        else {
          int = int.padStart(o.minimumIntegerDigits ?? 1, '0');
          const grouping = o.useGrouping !== false && o.useGrouping !== 'false' && !(o.useGrouping === 'min2' && int.length < 5);
          const groups = grouping ? int.replace(/\B(?=(\d{3})+$)/g, ',').split(',') : [int];
          groups.forEach((group, at) => {
            if (at) put('group', ',');
            put('integer', group);
          });
          if (fraction) {
            put('decimal', '.');
            put('fraction', fraction);
          }
        }
        if (suffix) put('compact', suffix);
        if (o.style === 'percent') put('percentSign', '%');
        if (o.style === 'currency' && o.currencyDisplay === 'name') {
          put('literal', ' ');
          put('currency', o.currency);
        }
        if (o.style === 'unit') {
          put('literal', ' ');
          put('unit', o.unit);
        }
        if (accounting) put('literal', ')');
        return parts;
      }
      formatRange(from, to) { return `${this.format(from)}–${this.format(to)}`; }
      resolvedOptions() { return { locale: this.#locale.startsWith('en') ? this.#locale : locale, numberingSystem: 'latn', minimumIntegerDigits: 1, notation: 'standard', signDisplay: 'auto', roundingMode: 'halfExpand', ...this.#options }; }
    }
    class Collator {
      #options;
      #bound;
      constructor(locales, options = {}) {
        this.#options = { usage: 'sort', sensitivity: 'variant', ignorePunctuation: false, numeric: false, caseFirst: 'false', collation: 'default', ...options };
      }
      get compare() {
        return (this.#bound ??= (a, b) => {
          const { sensitivity, numeric } = this.#options;
          const bare = (text) => String(text).normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
          const plain = (x, y) => (x < y ? -1 : x > y ? 1 : 0);
          const split = (text) => bare(text).match(/\d+|\D+/g) ?? [];
          if (numeric) {
            const x = split(a);
            const y = split(b);
            for (let at = 0; at < Math.min(x.length, y.length); at++) {
              const both = /^\d/.test(x[at]) && /^\d/.test(y[at]);
              const order = both ? Number(x[at]) - Number(y[at]) : plain(x[at], y[at]);
              if (order) return order < 0 ? -1 : 1;
            }
            if (x.length !== y.length) return x.length < y.length ? -1 : 1;
          } else {
            const order = plain(bare(a), bare(b));
            if (order) return order;
          }
          if (sensitivity === 'base') return 0;
          const accents = plain(String(a).normalize('NFD').toLowerCase(), String(b).normalize('NFD').toLowerCase());
          if (accents && sensitivity !== 'case') return accents;
          if (sensitivity === 'accent') return 0;
          // Lower case comes first.
          return -plain(String(a), String(b)) || 0;
        });
      }
      resolvedOptions() { return { locale, ...this.#options }; }
    }
    class PluralRules {
      #type;
      constructor(locales, options = {}) { this.#type = options.type ?? 'cardinal'; }
      select(value) {
        if (this.#type === 'cardinal') return value === 1 ? 'one' : 'other';
        const [ten, hundred] = [value % 10, value % 100];
        return ten === 1 && hundred !== 11 ? 'one' : ten === 2 && hundred !== 12 ? 'two' : ten === 3 && hundred !== 13 ? 'few' : 'other';
      }
      resolvedOptions() { return { locale, type: this.#type, pluralCategories: this.#type === 'cardinal' ? ['one', 'other'] : ['few', 'one', 'two', 'other'] }; }
    }
    class RelativeTimeFormat {
      #options;
      constructor(locales, options = {}) { this.#options = { style: 'long', numeric: 'always', ...options }; }
      format(value, unit) {
        unit = String(unit).replace(/s$/, '');
        if (!['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'].includes(unit)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
        value = Number(value);
        if (this.#options.numeric === 'auto') {
          const near = { day: { 0: 'today', 1: 'tomorrow', '-1': 'yesterday' }, second: { 0: 'now' } }[unit]?.[value] ?? (['week', 'month', 'quarter', 'year'].includes(unit) ? { 0: `this ${unit}`, 1: `next ${unit}`, '-1': `last ${unit}` }[value] : undefined) ?? (value === 0 ? `this ${unit}` : undefined);
          if (near) return near;
        }
        const count = new NumberFormat(locale).format(Math.abs(value));
        const words = `${count} ${unit}${Math.abs(value) === 1 ? '' : 's'}`;
        return value < 0 || Object.is(value, -0) ? `${words} ago` : `in ${words}`;
      }
      formatToParts(value, unit) { return [{ type: 'literal', value: this.format(value, unit) }]; }
      resolvedOptions() { return { locale, numberingSystem: 'latn', ...this.#options }; }
    }
    class ListFormat {
      #options;
      constructor(locales, options = {}) { this.#options = { type: 'conjunction', style: 'long', ...options }; }
      format(items) {
        const all = [...items];
        const word = this.#options.type === 'disjunction' ? 'or' : this.#options.type === 'unit' ? '' : 'and';
        if (all.length < 2) return all.join('');
        if (!word) return all.join(', ');
        return all.length === 2 ? `${all[0]} ${word} ${all[1]}` : `${all.slice(0, -1).join(', ')}, ${word} ${all.at(-1)}`;
      }
      formatToParts(items) { return [...items].map((value) => ({ type: 'element', value })); }
      resolvedOptions() { return { locale, ...this.#options }; }
    }
    class Segmenter {
      #granularity;
      constructor(locales, options = {}) { this.#granularity = options.granularity ?? 'grapheme'; }
      segment(input) {
        // Letters with their marks, joined emoji and flags; words by letters and digits.
        const pattern = { grapheme: /\r\n|\p{RI}\p{RI}|\p{Extended_Pictographic}(?:[\p{M}\u{1f3fb}-\u{1f3ff}\ufe0f]*(?:\u200d\p{Extended_Pictographic})?)*|[^\p{M}]?\p{M}*/gsu, word: /[\p{L}\p{N}\p{M}'_]+|\s+|[^\p{L}\p{N}\p{M}\s]/gu, sentence: /[^.!?]+[.!?]*\s*/gu }[this.#granularity];
        const granularity = this.#granularity;
        return {
          *[Symbol.iterator]() {
            for (const match of input.matchAll(pattern)) if (match[0] !== '') yield { segment: match[0], index: match.index, input, ...(granularity === 'word' ? { isWordLike: /[\p{L}\p{N}]/u.test(match[0]) } : {}) };
          },
          containing(at = 0) { return [...this].findLast((each) => each.index <= at); },
        };
      }
      resolvedOptions() { return { locale, granularity: this.#granularity }; }
    }
    class Locale {
      constructor(tag) {
        this.baseName = canonical(String(tag));
        const [language, ...rest] = this.baseName.split('-');
        this.language = language;
        this.region = rest.find((part) => /^([A-Z]{2}|\d{3})$/.test(part));
        this.script = rest.find((part) => part.length === 4);
      }
      maximize() { return this; }
      minimize() { return this; }
      toString() { return this.baseName; }
    }
    const Intl = {};
    Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl' });
    for (const Class of [DateTimeFormat, NumberFormat, Collator, PluralRules, RelativeTimeFormat, ListFormat, Segmenter, Locale]) Object.defineProperty(Intl, Class.name, { value: base(Class, Class.name), writable: true, configurable: true });
    for (const name of ['DisplayNames', 'DurationFormat']) Object.defineProperty(Intl, name, { value: function () { throw rt.missing(name, 'Intl'); }, writable: true, configurable: true });
    Object.defineProperty(Intl, 'getCanonicalLocales', { value: (locales) => list(locales).map(canonical) });
    Object.defineProperty(Intl, 'supportedValuesOf', { value: (key) => { throw rt.missing(`supportedValuesOf('${key}')`, 'Intl'); } });
    rt.dateTimeFormat = DateTimeFormat.defaults;
    return Intl;
  });
  const methods = {
    toLocaleString(need) {
      return function (locales, options) {
        if (Number.isNaN(this.getTime())) return 'Invalid Date';
        void globalThis.Intl;
        return rt.dateTimeFormat(locales, options, need).format(this);
      };
    },
  };
  for (const [name, need] of [['toLocaleString', 'any'], ['toLocaleDateString', 'date'], ['toLocaleTimeString', 'time']]) {
    Object.defineProperty(Date.prototype, name, { value: methods.toLocaleString(need), writable: true, configurable: true });
  }
  for (const Kind of [Number, BigInt]) {
    Object.defineProperty(Kind.prototype, 'toLocaleString', { value(locales, options) { return new Intl.NumberFormat(locales, options).format(this.valueOf()); }, writable: true, configurable: true });
  }
  const plainCompare = String.prototype.localeCompare;
  Object.defineProperty(String.prototype, 'localeCompare', {
    value(other, locales, options) {
      if (this === null || this === undefined) return plainCompare.call(this, other);
      return new Intl.Collator(locales, options).compare(String(this), String(other));
    },
    writable: true,
    configurable: true,
  });
})(globalThis.__emu);
