// What a document of Firestore may hold: the types, the paths, and how values are written and read in the JSON of its REST interface.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('firebase-admin-values');
  rt.define('firebase-admin-values', () => {
    // An object with this method has a form of its own on the wire.
    const wire = Symbol('wire');
    const argument = (name) => (typeof name === 'string' ? `Value for argument "${name}"` : `Element at index ${name}`);
    const invalid = (name, kind) => `${argument(name)} is not a valid ${kind}.`;
    const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;
    const check = {
      argument, invalid,
      atLeast(name, given, least) {
        if (given.length < least) throw new Error(`Function "${name}()" requires at least ${plural(least, 'argument')}.`);
      },
      atMost(name, given, most) {
        if (given.length > most) throw new Error(`Function "${name}()" accepts at most ${plural(most, 'argument')}.`);
      },
      text(name, value) {
        if (typeof value !== 'string') throw new Error(invalid(name, 'string'));
      },
      number(name, value, least = -Infinity, most = Infinity, kind = 'number') {
        if (typeof value !== 'number' || Number.isNaN(value) || (kind === 'integer' && value % 1 !== 0)) throw new Error(invalid(name, kind));
        if (value < least || value > most) throw new Error(`${argument(name)} must be within [${least}, ${most}] inclusive, but was: ${value}`);
      },
      integer: (name, value, least, most) => check.number(name, value, least, most, 'integer'),
      callable(name, value) {
        if (typeof value !== 'function') throw new Error(invalid(name, 'function'));
      },
      oneOf(name, value, allowed) {
        if (!allowed.includes(value)) throw new Error(`${argument(name)} is invalid. Acceptable values are: ${allowed.join(', ')}`);
      },
      resource(name, path) {
        if (typeof path !== 'string' || path === '') throw new Error(`${invalid(name, 'resource path')} Path must be a non-empty string.`);
        if (path.includes('//')) throw new Error(`${invalid(name, 'resource path')} Paths must not contain //.`);
      },
      field(name, path) {
        if (path instanceof FieldPath) return;
        if (path === undefined) throw new Error(`${invalid(name, 'field path')} The path cannot be omitted.`);
        if (isObject(path) && path.constructor?.name === 'FieldPath') throw new Error(check.strange(name, path));
        if (typeof path !== 'string') throw new Error(`${invalid(name, 'field path')} Paths can only be specified as strings or via a FieldPath object.`);
        if (path.includes('..')) throw new Error(`${invalid(name, 'field path')} Paths must not contain ".." in them.`);
        if (path.startsWith('.') || path.endsWith('.')) throw new Error(`${invalid(name, 'field path')} Paths must not start or end with ".".`);
        if (!/^[^*~/[\]]+$/.test(path)) throw new Error(`${invalid(name, 'field path')} Paths can't be empty and must not contain\n    "*~/[]".`);
      },
      /** What is wrong with an object that is no value of Firestore. */
      strange(name, value, found = '') {
        const start = invalid(name, 'Firestore document');
        if (!isObject(value)) return `${start} Input is not a plain JavaScript object${found}.`;
        const type = value.constructor.name;
        if (['DocumentReference', 'FieldPath', 'FieldValue', 'GeoPoint', 'Timestamp'].includes(type)) return `${start} Detected an object of type "${type}" that doesn't match the expected instance${found}. Please ensure that the Firestore types you are using are from the same NPM package.)`;
        if (type === 'Object') return `${start} Invalid use of type "${typeof value}" as a Firestore argument${found}.`;
        return `${start} Couldn't serialize object of type "${type}"${found}. Firestore doesn't support JavaScript objects with custom prototypes (i.e. objects that were created via the "new" operator).`;
      },
    };
    const isObject = (value) => Object.prototype.toString.call(value) === '[object Object]';
    const isPlain = (value) => {
      if (typeof value !== 'object' || value === null) return false;
      const prototype = Object.getPrototypeOf(value);
      return prototype === Object.prototype || prototype === null || (isObject(value) && value.constructor?.name === 'Object');
    };
    const isMoment = (value) => value.constructor?.name === 'Moment' && typeof value.toDate === 'function';

    const firstSecond = -62135596800;
    class Timestamp {
      constructor(seconds, nanoseconds) {
        check.integer('seconds', seconds, firstSecond, 253402300799);
        check.integer('nanoseconds', nanoseconds, 0, 999999999);
        this._seconds = seconds;
        this._nanoseconds = nanoseconds;
      }
      static now() { return Timestamp.fromMillis(Date.now()); }
      static fromDate(date) { return Timestamp.fromMillis(date.getTime()); }
      static fromMillis(milliseconds) {
        const seconds = Math.floor(milliseconds / 1000);
        return new Timestamp(seconds, Math.floor((milliseconds - seconds * 1000) * 1e6));
      }
      get seconds() { return this._seconds; }
      get nanoseconds() { return this._nanoseconds; }
      toDate() { return new Date(this._seconds * 1000 + Math.round(this._nanoseconds / 1e6)); }
      toMillis() { return this._seconds * 1000 + Math.floor(this._nanoseconds / 1e6); }
      isEqual(other) { return this === other || (other instanceof Timestamp && this._seconds === other._seconds && this._nanoseconds === other._nanoseconds); }
      valueOf() { return `${String(this._seconds - firstSecond).padStart(12, '0')}.${String(this._nanoseconds).padStart(9, '0')}`; }
      [wire]() { return { timestampValue: timeText(this) }; }
    }
    const timeText = (at) => `${new Date(at._seconds * 1000).toISOString().slice(0, -5)}.${String(at._nanoseconds).padStart(9, '0')}Z`;
    const timeOf = (text) => {
      const digits = text.length > 20 ? text.slice(20, -1) : '';
      return new Timestamp(Math.floor(Date.parse(`${text.slice(0, 19)}Z`) / 1000), digits ? Number(digits.padEnd(9, '0')) : 0);
    };
    class GeoPoint {
      constructor(latitude, longitude) {
        check.number('latitude', latitude, -90, 90);
        check.number('longitude', longitude, -180, 180);
        this._latitude = latitude;
        this._longitude = longitude;
      }
      get latitude() { return this._latitude; }
      get longitude() { return this._longitude; }
      isEqual(other) { return this === other || (other instanceof GeoPoint && this._latitude === other._latitude && this._longitude === other._longitude); }
      [wire]() { return { geoPointValue: { latitude: this._latitude, longitude: this._longitude } }; }
    }
    class VectorValue {
      constructor(values) { this._values = [...(values ?? [])]; }
      toArray() { return [...this._values]; }
      isEqual(other) { return this._values.length === other._values.length && this._values.every((value, at) => value === other._values[at]); }
      [wire]() { return { mapValue: { fields: { __type__: { stringValue: '__vector__' }, value: { arrayValue: { values: this._values.map((value) => ({ doubleValue: double(value) })) } } } } }; }
    }

    /** Names within each other, of fields or of documents. */
    class Path {
      constructor(segments) { this.segments = segments; }
      get size() { return this.segments.length; }
      toArray() { return [...this.segments]; }
      isPrefixOf(other) { return this.segments.length <= other.segments.length && this.segments.every((segment, at) => segment === other.segments[at]); }
      compareTo(other) {
        const length = Math.min(this.size, other.size);
        for (let at = 0; at < length; at++) {
          const order = compareSegments(this.segments[at], other.segments[at]);
          if (order !== 0) return order;
        }
        return Math.sign(this.size - other.size);
      }
      isEqual(other) { return this === other || this.compareTo(other) === 0; }
    }
    const numeric = (segment) => (segment.startsWith('__id') && segment.endsWith('__') ? BigInt(segment.slice(4, -2)) : undefined);
    const compareSegments = (a, b) => {
      const [left, right] = [numeric(a), numeric(b)];
      if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
      if (left !== undefined || right !== undefined) return left !== undefined ? -1 : 1;
      return compareText(a, b);
    };
    // By code points, as bytes of UTF-8 are.
    const compareText = (a, b) => {
      const length = Math.min(a.length, b.length);
      for (let at = 0; at < length; at++) {
        if (a[at] === b[at]) continue;
        const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
        const wide = (unit) => unit >= 0xd800 && unit <= 0xdfff;
        if (wide(left) === wide(right)) return left < right ? -1 : 1;
        return wide(left) ? 1 : -1;
      }
      return Math.sign(a.length - b.length);
    };
    class FieldPath extends Path {
      constructor(...segments) {
        if (Array.isArray(segments[0])) throw new Error('The FieldPath constructor no longer supports an array as its first argument. Please unpack your array and call FieldPath() with individual arguments.');
        check.atLeast('FieldPath', segments, 1);
        segments.forEach((segment, at) => {
          check.text(at, segment);
          if (segment.length === 0) throw new Error(`Element at index ${at} should not be an empty string.`);
        });
        super(segments);
      }
      static documentId() { return documentId; }
      static of(path) { return path instanceof FieldPath ? path : new FieldPath(...path.split('.')); }
      get formattedName() { return formatted(this.segments); }
      toString() { return this.formattedName; }
    }
    const formatted = (segments) => segments.map((each) => (/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(each) ? each : `\`${each.replace(/\\/g, '\\\\').replace(/`/g, '\\`')}\``)).join('.');
    const documentId = new FieldPath('__name__');

    class FieldValue {
      static vector(values) { return new VectorValue(values); }
      static delete() { return deletion; }
      static serverTimestamp() { return serverTime; }
      static increment(...given) {
        check.atLeast('FieldValue.increment', given, 1);
        return new Transform('increment', given[0]);
      }
      static arrayUnion(...elements) {
        check.atLeast('FieldValue.arrayUnion', elements, 1);
        return new Transform('arrayUnion', elements);
      }
      static arrayRemove(...elements) {
        check.atLeast('FieldValue.arrayRemove', elements, 1);
        return new Transform('arrayRemove', elements);
      }
      isEqual(other) { return this === other; }
    }
    /** What the server makes of a field; `operand` is a number or the elements. */
    class Transform extends FieldValue {
      constructor(kind, operand) {
        super();
        this.kind = kind;
        this.operand = operand;
      }
      get methodName() { return `FieldValue.${this.kind}`; }
      isEqual(other) { return this === other || (other instanceof Transform && this.kind === other.kind && same(this.operand, other.operand)); }
      write(path, how) {
        const fieldPath = formatted(path);
        if (this.kind === 'serverTimestamp') return { fieldPath, setToServerValue: 'REQUEST_TIME' };
        if (this.kind === 'increment') {
          check.number('FieldValue.increment()', this.operand);
          return { fieldPath, increment: encode(this.operand, how) };
        }
        const values = [];
        this.operand.forEach((element, at) => {
          if (Array.isArray(element)) throw new Error(`${invalid(at, 'array element')} Nested arrays are not supported.`);
          const made = encode(element, { ...how, name: at, kind: 'array element', deletes: 'none', transforms: undefined, path: [], level: 0, inArray: true });
          if (made) values.push(made);
        });
        return { fieldPath, [this.kind === 'arrayUnion' ? 'appendMissingElements' : 'removeAllFromArray']: { values } };
      }
    }
    const deletion = new Transform('delete');
    const serverTime = new Transform('serverTimestamp');

    /** Whether two values are the same to Firestore. */
    const same = (a, b) => {
      if (a === b) return true;
      if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a !== a && b !== b;
      if (typeof a.isEqual === 'function') return a.isEqual(b);
      const keys = Object.keys(a);
      return a.constructor === b.constructor && keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key])) && (!(a instanceof Date) || a.getTime() === b.getTime());
    };

    // JSON has no name for these numbers; the interface takes them as text.
    const double = (value) => (Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : value) : String(value));
    const depthMax = 20;
    /**
     * A value in its form on the wire, or `undefined` where nothing is to be written. `how` is `{name, kind, deletes, undefined, transforms,
     * path, level}`: what an error calls the value, which sentinels may be where, and where transforms are put.
     */
    const encode = (value, how) => {
      switch (typeof value) {
        case 'string': return { stringValue: value };
        case 'boolean': return { booleanValue: value };
        case 'number': return Number.isSafeInteger(value) && !Object.is(value, -0) ? { integerValue: String(value) } : { doubleValue: double(value) };
        case 'bigint': return { integerValue: value.toString() };
        case 'undefined':
          if (how.undefined && how.level === 0) throw new Error(`${invalid(how.name, how.kind)} "undefined" values are only ignored inside of objects.`);
          if (!how.undefined) throw new Error(`${invalid(how.name, how.kind)} Cannot use "undefined" as a Firestore value${found(how)}. If you want to ignore undefined values, enable \`ignoreUndefinedProperties\`.`);
          return undefined;
        case 'object': break;
        default: throw new Error(`Cannot encode value: ${value}`);
      }
      if (value === null) return { nullValue: null };
      if (Array.isArray(value)) {
        const values = [];
        const { inArray } = how;
        how.inArray = true;
        how.level++;
        for (let at = 0; at < value.length; at++) {
          enter(how, String(at));
          const made = encode(value[at], how);
          how.path.pop();
          if (made) values.push(made);
        }
        how.level--;
        how.inArray = inArray;
        return { arrayValue: values.length ? { values } : {} };
      }
      if (value[wire]) return value[wire]();
      if (value instanceof Transform) return transform(value, how);
      if (isPlain(value)) {
        const keys = Object.keys(value);
        if (keys.length === 0) return { mapValue: {} };
        const fields = encodeFields(value, keys, how);
        return fields ? { mapValue: { fields } } : undefined;
      }
      if (value instanceof Date) return Timestamp.fromDate(value)[wire]();
      if (value instanceof Uint8Array) return { bytesValue: rt.Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
      if (value instanceof FieldPath) throw new Error(`${invalid(how.name, how.kind)} Cannot use object of type "FieldPath" as a Firestore value${found(how)}.`);
      if (isMoment(value)) return Timestamp.fromDate(value.toDate())[wire]();
      throw new Error(check.strange(how.name, value, found(how)));
    };
    /** The fields of a map; `undefined` where all of them are the server's to fill. */
    const encodeFields = (value, keys, how) => {
      let fields;
      how.level++;
      for (const key of keys) {
        enter(how, key);
        const made = encode(value[key], how);
        how.path.pop();
        if (made) (fields ??= {})[key] = made;
      }
      how.level--;
      return fields;
    };
    const enter = (how, name) => {
      if (how.path.push(name) - 1 > depthMax) throw new Error(`${invalid(how.name, how.kind)} Input object is deeper than ${depthMax} levels or contains a cycle.`);
    };
    const found = (how) => (how.path.length ? ` (found in field "${formatted(how.path)}")` : '');
    const transform = (value, how) => {
      const start = invalid(how.name, how.kind);
      if (how.inArray) throw new Error(`${start} ${value.methodName}() cannot be used inside of an array${found(how)}.`);
      if (value === deletion) {
        const root = how.deletes === 'root' && (how.level === 0 || (how.level === 1 && how.path.length === 1));
        if (how.deletes !== 'all' && !root) throw new Error(`${start} ${value.methodName}() must appear at the top-level and can only be used in update() or set() with {merge:true}${found(how)}.`);
      } else if (!how.transforms) throw new Error(`${start} ${value.methodName}() can only be used in set(), create() or update()${found(how)}.`);
      else how.transforms.push(value.write(how.path, how));
      return undefined;
    };

    const numbers = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity, '-0': -0 };
    /** A value as a program has it; `store` makes references of names and says how integers are read. */
    const decode = (value, store) => {
      for (const kind in value) {
        const its = value[kind];
        switch (kind) {
          case 'stringValue': case 'booleanValue': return its;
          case 'integerValue': return store._settings.useBigInt ? BigInt(its) : Number(its);
          case 'doubleValue': return typeof its === 'number' ? its : numbers[its] ?? Number(its);
          case 'nullValue': return null;
          case 'timestampValue': return timeOf(its);
          case 'mapValue': {
            const { fields } = its;
            if (fields?.__type__?.stringValue === '__vector__') return new VectorValue((fields.value?.arrayValue?.values ?? []).map((each) => decode(each, store)));
            return decodeFields(fields, store);
          }
          case 'arrayValue': return (its.values ?? []).map((each) => decode(each, store));
          case 'referenceValue': return store._named(its);
          case 'geoPointValue': return new GeoPoint(its.latitude ?? 0, its.longitude ?? 0);
          case 'bytesValue': return rt.Buffer.from(its, 'base64');
          default: throw new Error(`Cannot decode type from Firestore Value: ${JSON.stringify(value)}`);
        }
      }
      return null;
    };
    const decodeFields = (fields, store) => {
      const out = {};
      for (const name in fields) {
        const value = decode(fields[name], store);
        if (name === '__proto__') Object.defineProperty(out, name, { value, enumerable: true, writable: true, configurable: true });
        else out[name] = value;
      }
      return out;
    };
    return { wire, check, isPlain, isObject, same, Timestamp, timeText, timeOf, GeoPoint, VectorValue, Path, FieldPath, documentId, formatted, FieldValue, Transform, deletion, encode, encodeFields, decode, decodeFields };
  });
})(globalThis.__emu);
