// firebase-functions/params: values that a deployment asks for, as expressions that options may be made of.
((emu) => {
  'use strict';
  const { rt } = emu;
  rt.define('firebase-functions/params', () => {
    const tag = Symbol.for('firebase-functions:Expression:Tag');
    const variable = (name) => rt.process.env[name];
    const valueOf = (value) => (value instanceof Expression ? value.value() : value);
    const shown = (value) => (value instanceof Expression ? value.toString() : typeof value === 'string' ? `"${value}"` : Array.isArray(value) ? JSON.stringify(value) : String(value));
    class Expression {
      static [Symbol.hasInstance](value) { return value?.[tag] === true; }
      get [tag]() { return true; }
      value() { return this.runtimeValue(); }
      runtimeValue() { throw new Error('Not implemented'); }
      toCEL() { return `{{ ${this.toString()} }}`; }
      toJSON() { return this.toString(); }
    }
    const compare = {
      '==': (a, b) => (Array.isArray(a) ? a.length === b?.length && a.every((each) => b.includes(each)) : a === b),
      '!=': (a, b) => !compare['=='](a, b),
      '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b,
    };
    class CompareExpression extends Expression {
      constructor(cmp, lhs, rhs) {
        super();
        Object.assign(this, { cmp, lhs, rhs });
      }
      runtimeValue() { return compare[this.cmp](valueOf(this.lhs), valueOf(this.rhs)); }
      toString() { return `${shown(this.lhs)} ${this.cmp} ${shown(this.rhs)}`; }
      thenElse(ifTrue, ifFalse) { return new TernaryExpression(this, ifTrue, ifFalse); }
    }
    class TernaryExpression extends Expression {
      constructor(test, ifTrue, ifFalse) {
        super();
        Object.assign(this, { test, ifTrue, ifFalse });
      }
      runtimeValue() { return valueOf(this.test.value() ? this.ifTrue : this.ifFalse); }
      toString() { return `${this.test} ? ${shown(this.ifTrue)} : ${shown(this.ifFalse)}`; }
    }
    class InterpolationExpression extends Expression {
      constructor(strings, values) {
        super();
        Object.assign(this, { strings: [...strings], values });
      }
      runtimeValue() { return this.strings.map((text, n) => text + (n < this.values.length ? String(valueOf(this.values[n])) : '')).join(''); }
      toString() { return this.strings.map((text, n) => text + (n < this.values.length ? shown(this.values[n]) : '')).join(''); }
      toCEL() { return this.strings.map((text, n) => text + (n < this.values.length ? (this.values[n] instanceof Expression ? this.values[n].toCEL() : String(this.values[n])) : '')).join(''); }
    }
    class Param extends Expression {
      static type = 'string';
      constructor(name, options = {}) {
        super();
        this.name = name;
        this.options = options;
      }
      read(text) { return text; }
      get nothing() { return ''; }
      runtimeValue() {
        const text = variable(this.name);
        if (text !== undefined) return this.read(text);
        const fallback = valueOf(this.options.default);
        return fallback === undefined ? this.nothing : fallback;
      }
      cmp(operator, rhs) { return new CompareExpression(operator, this, rhs); }
      equals(rhs) { return this.cmp('==', rhs); }
      notEquals(rhs) { return this.cmp('!=', rhs); }
      greaterThan(rhs) { return this.cmp('>', rhs); }
      greaterThanOrEqualTo(rhs) { return this.cmp('>=', rhs); }
      lessThan(rhs) { return this.cmp('<', rhs); }
      lessThanOrEqualTo(rhs) { return this.cmp('<=', rhs); }
      lessThanorEqualTo(rhs) { return this.lessThanOrEqualTo(rhs); }
      toString() { return `params.${this.name}`; }
      toSpec() {
        const { default: fallback, ...rest } = this.options;
        const value = fallback instanceof Expression ? fallback.value() : fallback;
        return { name: this.name, ...rest, type: this.constructor.type, ...(value === undefined ? {} : { default: value }) };
      }
    }
    class StringParam extends Param {}
    class IntParam extends Param {
      static type = 'int';
      read(text) { return Number.parseInt(text || '0', 10) || 0; }
      get nothing() { return 0; }
    }
    class FloatParam extends Param {
      static type = 'float';
      read(text) { return Number.parseFloat(text || '0') || 0; }
      get nothing() { return 0; }
    }
    class BooleanParam extends Param {
      static type = 'boolean';
      read(text) { return text === 'true'; }
      get nothing() { return false; }
      thenElse(ifTrue, ifFalse) { return new TernaryExpression(this, ifTrue, ifFalse); }
    }
    class ListParam extends Param {
      static type = 'list';
      read(text) {
        try {
          const list = JSON.parse(text);
          return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : [];
        } catch {
          return [];
        }
      }
      get nothing() { return []; }
      greaterThan() { throw new Error('>/< comparison operators not supported on params of type List'); }
      greaterThanOrEqualTo() { return this.greaterThan(); }
      lessThan() { return this.greaterThan(); }
      lessThanOrEqualTo() { return this.greaterThan(); }
    }
    class SecretParam {
      static type = 'secret';
      constructor(name, options = {}) {
        this.name = name;
        this.options = options;
      }
      runtimeValue() {
        const value = variable(this.name);
        if (value === undefined) rt.require('firebase-functions/logger').warn(`No value found for secret parameter "${this.name}". A function can only access a secret if you include the secret in the function's dependency array.`);
        return value ?? '';
      }
      value() { return this.runtimeValue(); }
      toSpec() { return { type: 'secret', name: this.name, ...this.options }; }
    }
    class JsonSecretParam extends SecretParam {
      runtimeValue() {
        const value = variable(this.name);
        if (value === undefined) throw new Error(`No value found for secret parameter "${this.name}". A function can only access a secret if you include the secret in the function's dependency array.`);
        try {
          return JSON.parse(value);
        } catch (error) {
          throw new Error(`"${this.name}" could not be parsed as JSON. Please verify its value in Secret Manager. Details: ${error}`);
        }
      }
      toSpec() { return { ...super.toSpec(), format: 'json' }; }
    }
    // One list for all copies of the package, as a codebase may have several.
    const list = Symbol.for('firebase-functions:params:declaredParams');
    const declaredParams = (globalThis[list] ??= []);
    const declare = (param) => {
      const at = declaredParams.findIndex((other) => other.name === param.name);
      if (at >= 0) declaredParams.splice(at, 1);
      declaredParams.push(param);
      return param;
    };
    const configured = (name) => JSON.parse(variable('FIREBASE_CONFIG') || '{}')[name] ?? '';
    class InternalExpression extends Param {
      constructor(name, field) {
        super(name);
        Object.defineProperty(this, 'field', { value: field });
      }
      runtimeValue() { return configured(this.field); }
    }
    const choices = (options) => (Array.isArray(options) ? options.map((value) => ({ value })) : Object.entries(options).map(([label, value]) => ({ label, value })));
    return {
      BUCKET_PICKER: { resource: { type: 'storage.googleapis.com/Bucket' } }, Expression, declaredParams,
      clearParams() { declaredParams.length = 0; },
      databaseURL: new InternalExpression('DATABASE_URL', 'databaseURL'), projectID: new InternalExpression('PROJECT_ID', 'projectId'), gcloudProject: new InternalExpression('GCLOUD_PROJECT', 'projectId'), storageBucket: new InternalExpression('STORAGE_BUCKET', 'storageBucket'),
      defineSecret: (name, options) => declare(new SecretParam(name, options)), defineJsonSecret: (name, options) => declare(new JsonSecretParam(name, options)), defineString: (name, options) => declare(new StringParam(name, options)), defineBoolean: (name, options) => declare(new BooleanParam(name, options)), defineInt: (name, options) => declare(new IntParam(name, options)), defineFloat: (name, options) => declare(new FloatParam(name, options)), defineList: (name, options) => declare(new ListParam(name, options)),
      expr: (strings, ...values) => new InterpolationExpression(strings, values),
      select: (options) => ({ select: { options: choices(options) } }), multiSelect: (options) => ({ multiSelect: { options: choices(options) } }),
    };
  });
})(globalThis.__emu);
