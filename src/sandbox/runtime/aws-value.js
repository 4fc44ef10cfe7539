// JavaScript values and DynamoDB's attribute values, and where operations carry them.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.internal.add('aws-value');
  rt.define('aws-value', () => {
    class NumberValue {
      constructor(value) { this.value = String(typeof value === 'object' ? value.N : value); }
      static from(value) { return new NumberValue(value); }
      toString() { return this.value; }
      toBigInt() { return BigInt(this.value); }
      toNumber() { return Number(this.value); }
      toAttributeValue() { return { N: this.value }; }
      toJSON() { return this.value; }
    }
    const number = (value, options) => {
      if (value instanceof NumberValue) return value.toAttributeValue();
      if (typeof value === 'number') {
        if (!Number.isFinite(value)) throw new Error(`Special numeric value ${value} is not allowed`);
        if (Math.abs(value) > Number.MAX_SAFE_INTEGER && !options.allowImpreciseNumbers) throw new Error(`Number ${value} is beyond what a JavaScript number holds exactly; use NumberValue from @aws-sdk/lib-dynamodb`);
      }
      return { N: String(value) };
    };
    const isNumber = (value) => typeof value === 'number' || typeof value === 'bigint' || value instanceof NumberValue;
    const set = (values, options) => {
      values = [...values].filter((value) => value !== undefined || !options.removeUndefinedValues);
      if (values.includes(undefined)) throw new Error('a set holds undefined; the option removeUndefinedValues leaves such values out');
      if (values.length === 0) {
        if (options.convertEmptyValues) return { NULL: true };
        throw new Error('DynamoDB has no empty sets; the option convertEmptyValues makes them null');
      }
      const [first] = values;
      if (isNumber(first)) return { NS: values.map((value) => number(value, options).N) };
      if (typeof first === 'string') return { SS: values };
      if (rt.isBytes(first)) return { BS: values };
      throw new Error(`a set may hold strings, numbers or bytes, not ${typeof first}`);
    };
    const toValue = (value, options = {}) => {
      if (value === undefined) throw new Error('undefined cannot be stored; the option removeUndefinedValues leaves such values out');
      if (value === null) return { NULL: true };
      if (typeof value === 'string') return value === '' && options.convertEmptyValues ? { NULL: true } : { S: value };
      if (isNumber(value)) return number(value, options);
      if (typeof value === 'boolean') return { BOOL: value };
      if (value instanceof String || value instanceof Number || value instanceof Boolean) return toValue(value.valueOf(), options);
      if (Array.isArray(value)) return { L: value.filter((each) => !((each === undefined || typeof each === 'function') && options.removeUndefinedValues)).map((each) => toValue(each, options)) };
      if (value instanceof Set) return set(value, options);
      if (value.wrapperName === 'Set') return set(value.values, options);
      if (rt.isBytes(value)) return value.byteLength === 0 && options.convertEmptyValues ? { NULL: true } : { B: rt.bytes(value) };
      if (value instanceof Map) return { M: toMap(Object.fromEntries(value), options) };
      const base = typeof value === 'object' && Object.getPrototypeOf(value);
      if (base === null || base === Object.prototype || (typeof value === 'object' && options.convertClassInstanceToMap)) return { M: toMap(value, options) };
      throw new Error(`a value of ${value.constructor?.name ?? typeof value} cannot be stored; the option convertClassInstanceToMap stores its fields`);
    };
    const toMap = (object, options) => {
      const out = {};
      for (const key of Object.keys(object)) {
        const value = object[key];
        if (typeof value === 'function' || (value === undefined && options.removeUndefinedValues)) continue;
        out[key] = toValue(value, options);
      }
      return out;
    };
    const fromNumber = (text, options) => {
      if (typeof options.wrapNumbers === 'function') return options.wrapNumbers(text);
      if (options.wrapNumbers) return NumberValue.from(text);
      const value = Number(text);
      if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
      try {
        return BigInt(text);
      } catch {
        throw new Error(`${text} is beyond what a JavaScript number holds exactly; the option wrapNumbers gives it as text`);
      }
    };
    const fromValue = (value, options = {}) => {
      for (const [kind, held] of Object.entries(value)) {
        if (held === undefined) continue;
        switch (kind) {
          case 'S': case 'BOOL': return held;
          case 'N': return fromNumber(held, options);
          case 'B': return options.wrapBytes ? options.wrapBytes(held) : held;
          case 'NULL': return null;
          case 'L': return held.map((each) => fromValue(each, options));
          case 'M': return fromMap(held, options);
          case 'SS': case 'BS': case 'NS': {
            const values = kind === 'NS' ? held.map((each) => fromNumber(each, options)) : held;
            return options.wrapSet ? options.wrapSet(values) : new Set(values);
          }
          default: throw new Error(`there is no attribute value of the kind ${kind}`);
        }
      }
      throw new Error(`no attribute value: ${JSON.stringify(value)}`);
    };
    const fromMap = (object, options = {}) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fromValue(value, options)]));

    // Where values are: `V` one value, `M` a map of values, `[x]` a list of x, `{'*': x}` x under every key.
    const V = 'V';
    const M = 'M';
    const old = { Expected: { '*': { Value: V, AttributeValueList: [V] } } };
    const act = { Item: M, Key: M, ExpressionAttributeValues: M };
    const keys = { ItemCollectionKey: M };
    const shapes = {
      PutItem: [{ ...act, ...old }, { Attributes: M, ItemCollectionMetrics: keys }], GetItem: [{ Key: M }, { Item: M }], DeleteItem: [{ ...act, ...old }, { Attributes: M, ItemCollectionMetrics: keys }],
      UpdateItem: [{ ...act, ...old, AttributeUpdates: { '*': { Value: V } } }, { Attributes: M, ItemCollectionMetrics: keys }],
      Query: [{ ExclusiveStartKey: M, ExpressionAttributeValues: M, KeyConditions: { '*': { AttributeValueList: [V] } }, QueryFilter: { '*': { AttributeValueList: [V] } } }, { Items: [M], LastEvaluatedKey: M }],
      Scan: [{ ExclusiveStartKey: M, ExpressionAttributeValues: M, ScanFilter: { '*': { AttributeValueList: [V] } } }, { Items: [M], LastEvaluatedKey: M }],
      BatchGetItem: [{ RequestItems: { '*': { Keys: [M] } } }, { Responses: { '*': [M] }, UnprocessedKeys: { '*': { Keys: [M] } } }],
      BatchWriteItem: [{ RequestItems: { '*': [{ PutRequest: { Item: M }, DeleteRequest: { Key: M } }] } }, { UnprocessedItems: { '*': [{ PutRequest: { Item: M }, DeleteRequest: { Key: M } }] }, ItemCollectionMetrics: { '*': [keys] } }],
      TransactGetItems: [{ TransactItems: [{ Get: { Key: M } }] }, { Responses: [{ Item: M }] }],
      TransactWriteItems: [{ TransactItems: [{ Put: act, Update: act, Delete: act, ConditionCheck: act }] }, { ItemCollectionMetrics: { '*': [keys] } }],
      ExecuteStatement: [{ Parameters: [V] }, { Items: [M], LastEvaluatedKey: M }], BatchExecuteStatement: [{ Statements: [{ Parameters: [V] }] }, { Responses: [{ Item: M, Error: { Item: M } }] }], ExecuteTransaction: [{ TransactStatements: [{ Parameters: [V] }] }, { Responses: [{ Item: M }] }],
    };
    const walk = (shape, value, one, many) => {
      if (value === undefined || value === null) return value;
      if (shape === V) return one(value);
      if (shape === M) return many(value);
      if (Array.isArray(shape)) return value.map((each) => walk(shape[0], each, one, many));
      const out = { ...value };
      for (const key of shape['*'] ? Object.keys(value) : Object.keys(shape)) if (out[key] !== undefined) out[key] = walk(shape['*'] ?? shape[key], value[key], one, many);
      return out;
    };
    const documents = { Put: 'PutItem', Get: 'GetItem', Delete: 'DeleteItem', Update: 'UpdateItem', Query: 'Query', Scan: 'Scan', BatchGet: 'BatchGetItem', BatchWrite: 'BatchWriteItem', TransactGet: 'TransactGetItems', TransactWrite: 'TransactWriteItems', ExecuteStatement: 'ExecuteStatement', BatchExecuteStatement: 'BatchExecuteStatement', ExecuteTransaction: 'ExecuteTransaction' };
    return {
      NumberValue, toValue, fromValue, toMap, fromMap, documents,
      input: (operation, input, options = {}) => walk(shapes[operation][0], input, (value) => toValue(value, options), (value) => toMap(value, options)),
      output: (operation, output, options = {}) => walk(shapes[operation][1], output, (value) => fromValue(value, options), (value) => fromMap(value, options)),
    };
  });
})(globalThis.__emu);
