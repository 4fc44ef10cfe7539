// In the place of https://apis.google.com/js/api.js, which no test may fetch: the few calls by which the SDK and its hidden frame talk,
// over `postMessage`.
(() => {
  const waiting = new Map()
  let next = 0
  const connect = target => {
    const handlers = new Map()
    addEventListener('message', async ({ source, data }) => {
      if (source !== target() || !data?.gapi) return
      if (data.answer !== undefined) {
        // As there, what a callback throws is nobody's.
        try {
          waiting.get(data.answer)?.(data.value)
        } catch { /* the SDK throws once it knows what it asked for */ }
        return
      }
      const value = await handlers.get(data.name)?.(data.value)
      source.postMessage({ gapi: true, answer: data.number, value: value === undefined ? [] : [value] }, '*')
    })
    return {
      register: (name, handler) => handlers.set(name, handler),
      send: (name, value, answered) => {
        const number = `${Date.now()}-${next++}`
        waiting.set(number, answered ?? (() => {}))
        target().postMessage({ gapi: true, name, value, number }, '*')
      },
      restyle: async () => {},
      ping: async answered => void answered?.(),
    }
  }
  const context = {
    getParentIframe: () => connect(() => parent),
    open: ({ url, where }, opened) => new Promise(resolve => {
      const frame = document.createElement('iframe')
      frame.src = url
      frame.style.display = 'none'
      frame.onload = () => resolve(opened(connect(() => frame.contentWindow)))
      where.append(frame)
    }),
  }
  window.gapi = {
    load: (_, { callback }) => callback(),
    iframes: { CROSS_ORIGIN_IFRAMES_FILTER: {}, getContext: () => context, Iframe: class {} },
  }
  const onload = document.currentScript && new URL(document.currentScript.src).searchParams.get('onload')
  queueMicrotask(() => (onload ? window[onload] : window.gapi_onload)?.())
})()
