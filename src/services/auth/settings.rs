//! What projects and tenants have set, and the rules for their users that follow.

use serde_json::{Map, Value, json};

use super::{Auth, Error, Realm, store};
use crate::base::Call;
use crate::store::Tx;

/// What users of a realm may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub disabled: bool,
    pub password: bool,
    pub anonymous: bool,
    pub email_link: bool,
    /// Second factors by phone.
    pub factors: bool,
    /// Each address belongs to one user.
    pub one_per_email: bool,
    /// Nobody learns whether a user has an address.
    pub email_privacy: bool,
}

/// Tenants of a project at most.
const TENANTS_MAX: usize = 1_000;
/// Bytes of settings at most.
const BYTES_MAX: usize = 256 << 10;

impl Auth {
    /// A project's settings: what was set, and what holds where nothing was.
    pub async fn config(&self, call: &Call, project: &str) -> Result<Value, Error> {
        self.db.read(call, |tx| config(tx, project)).await
    }

    /// Changes settings. Of `change` what `mask` names (`signIn.allowDuplicateEmails`); all of it where it names nothing.
    pub async fn set_config(&self, call: &Call, project: &str, change: Value, mask: Vec<String>) -> Result<Value, Error> {
        let project = project.to_owned();
        self.db
            .write(call, move |tx| {
                let mut config = config(tx, &project)?;
                apply(&mut config, &change, &mask);
                put(tx, &project, "", &config)?;
                Ok(config)
            })
            .await
    }

    /// A tenant's settings. Fails with `TenantNotFound`.
    pub async fn tenant(&self, call: &Call, project: &str, tenant: &str) -> Result<Value, Error> {
        self.db.read(call, |tx| existing(tx, project, tenant)).await
    }

    /// Makes a tenant: its identifier begins with the name that it is shown by.
    pub async fn create_tenant(&self, call: &Call, project: &str, given: Value) -> Result<(String, Value), Error> {
        let project = project.to_owned();
        self.db
            .write(call, move |tx| {
                if store::tenants(tx, &project, "", TENANTS_MAX + 1)?.len() > TENANTS_MAX {
                    return Err(Error::NotAllowed);
                }
                let name = given.get("displayName").and_then(Value::as_str).unwrap_or("tenant");
                let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
                let id = format!("{}-{}", if name.is_empty() { "tenant" } else { &name }, tx.ids().hex(4).get(..5).unwrap_or("00000"));
                // What production sets where nothing is said.
                let mut settings = json!({
                    "allowPasswordSignup": false, "enableEmailLinkSignin": false, "enableAnonymousUser": false, "disableAuth": false,
                    "mfaConfig": { "state": "DISABLED", "enabledProviders": [] },
                });
                apply(&mut settings, &given, &[]);
                put(tx, &project, &id, &settings)?;
                Ok((id, settings))
            })
            .await
    }

    /// Changes a tenant as [`Auth::set_config`] a project. Fails with `TenantNotFound`.
    pub async fn set_tenant(&self, call: &Call, project: &str, tenant: &str, change: Value, mask: Vec<String>) -> Result<Value, Error> {
        let (project, tenant) = (project.to_owned(), tenant.to_owned());
        self.db
            .write(call, move |tx| {
                let mut settings = existing(tx, &project, &tenant)?;
                apply(&mut settings, &change, &mask);
                put(tx, &project, &tenant, &settings)?;
                Ok(settings)
            })
            .await
    }

    /// Removes a tenant with its users. Fails with `TenantNotFound`.
    pub async fn delete_tenant(&self, call: &Call, project: &str, tenant: &str) -> Result<(), Error> {
        let (project, tenant) = (project.to_owned(), tenant.to_owned());
        self.db
            .write(call, move |tx| {
                if !store::remove_tenant(tx, &project, &tenant)? {
                    return Err(Error::TenantNotFound(tenant));
                }
                store::clear(tx, &Realm { project, tenant: Some(tenant) })
            })
            .await
    }

    /// Tenants after `after`, in the order of their identifiers.
    pub async fn tenants(&self, call: &Call, project: &str, after: &str, limit: usize) -> Result<Vec<(String, Value)>, Error> {
        self.db.read(call, |tx| store::tenants(tx, project, after, limit)).await
    }
}

fn existing(tx: &Tx<'_>, project: &str, tenant: &str) -> Result<Value, Error> {
    store::settings(tx, project, tenant)?.ok_or_else(|| Error::TenantNotFound(tenant.to_owned()))
}

fn put(tx: &Tx<'_>, project: &str, tenant: &str, settings: &Value) -> Result<(), Error> {
    if settings.to_string().len() > BYTES_MAX {
        return Err(Error::NotAllowed);
    }
    store::put_settings(tx, project, tenant, settings)
}

fn config(tx: &Tx<'_>, project: &str) -> Result<Value, Error> {
    let usual = || {
        json!({
            "signIn": { "allowDuplicateEmails": false },
            "blockingFunctions": {},
            "emailPrivacyConfig": { "enableImprovedEmailPrivacy": false },
        })
    };
    Ok(store::settings(tx, project, "")?.unwrap_or_else(usual))
}

/// Lays `change` over `settings`: the paths of `mask`, or everything that it says.
fn apply(settings: &mut Value, change: &Value, mask: &[String]) {
    if mask.is_empty() {
        for (name, value) in change.as_object().into_iter().flatten() {
            place(settings, &[name], Some(value.clone()));
        }
    }
    for path in mask {
        let path: Vec<&str> = path.split('.').take(10).collect();
        let value = path.iter().try_fold(change, |at, name| at.get(name)).cloned();
        place(settings, &path, value);
    }
}

fn place(into: &mut Value, path: &[&str], value: Option<Value>) {
    let [name, rest @ ..] = path else { return };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(map) = into.as_object_mut() else { return };
    match (rest, value) {
        ([], Some(value)) => {
            map.insert((*name).to_owned(), value);
        }
        ([], None) => {
            map.remove(*name);
        }
        (rest, value) => place(map.entry((*name).to_owned()).or_insert_with(|| json!({})), rest, value),
    }
}

/// The rules of a realm. A tenant that nobody made allows everything but second factors, as with Firebase's own emulator.
pub(super) fn rules(tx: &Tx<'_>, realm: &Realm) -> Result<Rules, Error> {
    let config = config(tx, &realm.project)?;
    let is = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_bool).unwrap_or(false);
    let own = Rules {
        disabled: false,
        password: true,
        anonymous: true,
        email_link: true,
        factors: config.get("mfa").is_none_or(by_phone),
        one_per_email: !is(&config, "/signIn/allowDuplicateEmails"),
        email_privacy: is(&config, "/emailPrivacyConfig/enableImprovedEmailPrivacy"),
    };
    let Some(tenant) = &realm.tenant else { return Ok(own) };
    let Some(settings) = store::settings(tx, &realm.project, tenant)? else { return Ok(Rules { factors: false, ..own }) };
    Ok(Rules {
        disabled: is(&settings, "/disableAuth"),
        password: is(&settings, "/allowPasswordSignup"),
        anonymous: is(&settings, "/enableAnonymousUser"),
        email_link: is(&settings, "/enableEmailLinkSignin"),
        factors: settings.get("mfaConfig").is_some_and(by_phone),
        ..own
    })
}

fn by_phone(factors: &Value) -> bool {
    let state = factors.get("state").and_then(Value::as_str);
    let providers = factors.get("enabledProviders").and_then(Value::as_array);
    matches!(state, Some("ENABLED" | "MANDATORY")) && providers.is_none_or(|all| all.iter().any(|one| one == "PHONE_SMS"))
}

/// The rules, where signing in is not switched off altogether.
pub(super) fn enabled(tx: &Tx<'_>, realm: &Realm) -> Result<Rules, Error> {
    let rules = rules(tx, realm)?;
    if rules.disabled { Err(Error::ProjectDisabled) } else { Ok(rules) }
}
