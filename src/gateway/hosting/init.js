// Where the services of this project are. The modular SDK reads it by itself; the namespaced one is told.
(() => {
  const config = /*config*/{}
  const defaults = globalThis.__FIREBASE_DEFAULTS__ ??= /*defaults*/{}
  const firebase = globalThis.firebase
  if (!firebase || !firebase.initializeApp) return
  firebase.initializeApp(config)
  const hosts = defaults.emulatorHosts || {}
  const at = name => hosts[name] && hosts[name].split(/:(?=\d+$)/)
  if (firebase.auth && hosts.auth) firebase.auth().useEmulator(`http://${hosts.auth}`)
  for (const name of ['firestore', 'functions', 'storage']) {
    if (!firebase[name] || !at(name)) continue
    const [host, port] = at(name)
    firebase[name]().useEmulator(host, Number(port))
  }
})()
