// node:async_hooks. The scope is an immutable map that the engine carries over every `await`.
((emu) => {
  'use strict';
  const { rt } = emu;
  let lastId = 1;
  class AsyncLocalStorage {
    #options;
    constructor(options) {
      this.#options = options;
    }
    get name() { return this.#options?.name ?? ''; }
    getStore() {
      const scope = rt.scope();
      return scope?.has(this) ? scope.get(this) : this.#options?.defaultValue;
    }
    #with(store) {
      const scope = new Map(rt.scope() ?? []);
      scope.set(this, store);
      return scope;
    }
    run(store, call, ...args) { return rt.inScope(this.#with(store), call, undefined, args); }
    exit(call, ...args) {
      const scope = new Map(rt.scope() ?? []);
      scope.delete(this);
      return rt.inScope(scope, call, undefined, args);
    }
    enterWith(store) { rt.setScope(this.#with(store)); }
    disable() {
      const scope = new Map(rt.scope() ?? []);
      scope.delete(this);
      rt.setScope(scope);
    }
    static bind(call) { return AsyncResource.bind(call); }
    static snapshot() {
      const scope = rt.scope();
      return (call, ...args) => rt.inScope(scope, call, undefined, args);
    }
  }
  class AsyncResource {
    #scope = rt.scope();
    #id = ++lastId;
    constructor(type) {
      this.type = type;
    }
    runInAsyncScope(call, self, ...args) { return rt.inScope(this.#scope, call, self, args); }
    emitDestroy() { return this; }
    asyncId() { return this.#id; }
    triggerAsyncId() { return 1; }
    bind(call, self) { return AsyncResource.bind(call, this.type, self ?? this); }
    static bind(call, type, self) {
      const scope = rt.scope();
      return function (...args) {
        return rt.inScope(scope, call, self ?? this, args);
      };
    }
  }
  rt.define('async_hooks', () => ({
    AsyncLocalStorage, AsyncResource, executionAsyncId: () => 1, triggerAsyncId: () => 0, executionAsyncResource: () => ({}), asyncWrapProviders: Object.freeze({}),
    createHook: () => ({ enable() { throw rt.missing('createHook().enable', 'node:async_hooks', 'use AsyncLocalStorage'); }, disable() { return this; } }),
  }));
})(globalThis.__emu);
