//! Which operation a path is. The paths are those of the cloud's hosts, behind the host's name as SDKs put it for an emulator, or without.

use http::Method;

/// An operation of the Identity Toolkit, or one that only emulators have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Ready,
    Projects,
    RecaptchaParams,
    RecaptchaConfig,
    PasswordPolicy,
    PublicKeys,
    Token,
    RevokeToken,
    CreateAuthUri,
    Delete,
    Lookup,
    ResetPassword,
    SendOobCode,
    SendVerificationCode,
    SignInWithCustomToken,
    SignInWithEmailLink,
    SignInWithIdp,
    SignInWithPassword,
    SignInWithPhoneNumber,
    SignUp,
    Update,
    EnrollmentStart,
    EnrollmentFinalize,
    EnrollmentWithdraw,
    SecondStart,
    SecondFinalize,
    BatchCreate,
    BatchDelete,
    BatchGet,
    Query,
    CreateSessionCookie,
    GetConfig,
    SetConfig,
    CreateTenant,
    ListTenants,
    GetTenant,
    SetTenant,
    DeleteTenant,
    EmulatorClear,
    EmulatorGetConfig,
    EmulatorSetConfig,
    EmulatorOobCodes,
    EmulatorVerificationCodes,
    EmulatorSpec,
    Action,
    Widget,
    Iframe,
}

/// What a path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub op: Op,
    pub project: Option<String>,
    pub tenant: Option<String>,
}

const HOSTS: [&str; 3] = ["/identitytoolkit.googleapis.com", "/securetoken.googleapis.com", "/www.googleapis.com"];
const LEGACY: &str = "/identitytoolkit/v3/relyingparty/";

/// The operation; `None` where there is none.
pub fn route(method: &Method, path: &str) -> Option<Route> {
    let path = HOSTS.iter().find_map(|host| path.strip_prefix(host)).unwrap_or(path);
    if let Some(legacy) = path.strip_prefix(LEGACY) {
        return plain(old(legacy)?);
    }
    let decoded: Vec<String> =
        path.split('/').skip(1).map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let (get, post) = (method == Method::GET || method == Method::HEAD, method == Method::POST);
    match parts.as_slice() {
        [""] if get => plain(Op::Ready),
        ["v1", "token"] if post => plain(Op::Token),
        ["v1", "projects"] if get => plain(Op::Projects),
        ["v1", "recaptchaParams"] if get => plain(Op::RecaptchaParams),
        ["v1", "sessionCookiePublicKeys" | "publicKeys"] if get => plain(Op::PublicKeys),
        ["v2", "recaptchaConfig"] if get => plain(Op::RecaptchaConfig),
        ["v2", "passwordPolicy"] if get => plain(Op::PasswordPolicy),
        ["v2", "accounts:revokeToken"] if post => plain(Op::RevokeToken),
        ["v2", "accounts", action] if post => plain(second(action)?),
        ["v1", action] if post => plain(client(action.strip_prefix("accounts:")?)?),
        ["v1", "projects", rest @ ..] => accounts(method, rest),
        ["v2", "projects", project, rest @ ..] => {
            let (op, tenant) = match (rest, method) {
                (["config"], &Method::GET) => (Op::GetConfig, None),
                (["config"], &Method::PATCH) => (Op::SetConfig, None),
                (["tenants"], &Method::GET) => (Op::ListTenants, None),
                (["tenants"], &Method::POST) => (Op::CreateTenant, None),
                (["tenants", tenant], &Method::GET) => (Op::GetTenant, Some(*tenant)),
                (["tenants", tenant], &Method::PATCH) => (Op::SetTenant, Some(*tenant)),
                (["tenants", tenant], &Method::DELETE) => (Op::DeleteTenant, Some(*tenant)),
                _ => return None,
            };
            within(op, project, tenant)
        }
        ["emulator", "v1", "projects", project, rest @ ..] => {
            let (tenant, rest) = match rest {
                ["tenants", tenant, rest @ ..] => (Some(*tenant), rest),
                rest => (None, rest),
            };
            let op = match (rest, method) {
                (["accounts"], &Method::DELETE) => Op::EmulatorClear,
                (["config"], &Method::GET) => Op::EmulatorGetConfig,
                (["config"], &Method::PATCH) => Op::EmulatorSetConfig,
                (["oobCodes"], &Method::GET) => Op::EmulatorOobCodes,
                (["verificationCodes"], &Method::GET) => Op::EmulatorVerificationCodes,
                _ => return None,
            };
            within(op, project, tenant)
        }
        ["emulator", "openapi.json"] if get => plain(Op::EmulatorSpec),
        ["emulator", "action"] if get || post => plain(Op::Action),
        ["emulator", "auth", "handler"] if get => plain(Op::Widget),
        ["emulator", "auth", "iframe"] if get => plain(Op::Iframe),
        _ => None,
    }
}

fn plain(op: Op) -> Option<Route> {
    Some(Route { op, project: None, tenant: None })
}

fn within(op: Op, project: &str, tenant: Option<&str>) -> Option<Route> {
    let named = |name: &str| !name.is_empty() && !name.contains('/');
    (named(project) && tenant.is_none_or(named)).then(|| Route { op, project: Some(project.to_owned()), tenant: tenant.map(str::to_owned) })
}

/// What stands after `/v1/projects/`.
fn accounts(method: &Method, rest: &[&str]) -> Option<Route> {
    let (get, post) = (method == Method::GET, method == Method::POST);
    let of = |action: &str| match action {
        "batchCreate" if post => Some(Op::BatchCreate),
        "batchDelete" if post => Some(Op::BatchDelete),
        "batchGet" if get => Some(Op::BatchGet),
        "delete" if post => Some(Op::Delete),
        "lookup" if post => Some(Op::Lookup),
        "query" if post => Some(Op::Query),
        "sendOobCode" if post => Some(Op::SendOobCode),
        "update" if post => Some(Op::Update),
        _ => None,
    };
    let whole = |action: &str| match action {
        "createSessionCookie" if post => Some(Op::CreateSessionCookie),
        "queryAccounts" if post => Some(Op::Query),
        _ => None,
    };
    match rest {
        [project, "accounts"] if post => within(Op::SignUp, project, None),
        [project, "tenants", tenant, "accounts"] if post => within(Op::SignUp, project, Some(tenant)),
        [project] => project.split_once(':').and_then(|(project, action)| within(whole(action)?, project, None)),
        [project, action] => within(of(action.strip_prefix("accounts:")?)?, project, None),
        [project, "tenants", tenant] => tenant.split_once(':').and_then(|(tenant, action)| within(whole(action)?, project, Some(tenant))),
        [project, "tenants", tenant, action] => within(of(action.strip_prefix("accounts:")?)?, project, Some(tenant)),
        _ => None,
    }
}

fn client(action: &str) -> Option<Op> {
    Some(match action {
        "createAuthUri" => Op::CreateAuthUri,
        "delete" => Op::Delete,
        "lookup" => Op::Lookup,
        "resetPassword" => Op::ResetPassword,
        "sendOobCode" => Op::SendOobCode,
        "sendVerificationCode" => Op::SendVerificationCode,
        "signInWithCustomToken" => Op::SignInWithCustomToken,
        "signInWithEmailLink" => Op::SignInWithEmailLink,
        "signInWithIdp" => Op::SignInWithIdp,
        "signInWithPassword" => Op::SignInWithPassword,
        "signInWithPhoneNumber" => Op::SignInWithPhoneNumber,
        "signUp" => Op::SignUp,
        "update" => Op::Update,
        _ => return None,
    })
}

fn second(action: &str) -> Option<Op> {
    Some(match action {
        "mfaEnrollment:start" => Op::EnrollmentStart,
        "mfaEnrollment:finalize" => Op::EnrollmentFinalize,
        "mfaEnrollment:withdraw" => Op::EnrollmentWithdraw,
        "mfaSignIn:start" => Op::SecondStart,
        "mfaSignIn:finalize" => Op::SecondFinalize,
        _ => return None,
    })
}

/// The operations under the names that they had before version 1.
fn old(name: &str) -> Option<Op> {
    Some(match name {
        "createAuthUri" => Op::CreateAuthUri,
        "deleteAccount" => Op::Delete,
        "downloadAccount" => Op::BatchGet,
        "emailLinkSignin" => Op::SignInWithEmailLink,
        "getAccountInfo" => Op::Lookup,
        "getOobConfirmationCode" => Op::SendOobCode,
        "getProjectConfig" => Op::Projects,
        "getRecaptchaParam" => Op::RecaptchaParams,
        "publicKeys" => Op::PublicKeys,
        "resetPassword" => Op::ResetPassword,
        "sendVerificationCode" => Op::SendVerificationCode,
        "setAccountInfo" => Op::Update,
        "signupNewUser" => Op::SignUp,
        "uploadAccount" => Op::BatchCreate,
        "verifyAssertion" => Op::SignInWithIdp,
        "verifyCustomToken" => Op::SignInWithCustomToken,
        "verifyPassword" => Op::SignInWithPassword,
        "verifyPhoneNumber" => Op::SignInWithPhoneNumber,
        _ => return None,
    })
}

impl Op {
    /// The operation's name in the API.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Whether whoever asks need not say who they are: pages, and what only emulators have.
    pub fn is_open(self) -> bool {
        use Op::*;
        matches!(
            self,
            Ready
                | PublicKeys
                | EmulatorClear
                | EmulatorGetConfig
                | EmulatorSetConfig
                | EmulatorOobCodes
                | EmulatorVerificationCodes
                | EmulatorSpec
                | Action
                | Widget
                | Iframe
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_sdk_are_known() {
        let check = |method: &str, path: &str| {
            let found = route(&Method::from_bytes(method.as_bytes()).expect("a method"), path);
            found.map_or("-".to_owned(), |r| format!("{:?} {} {}", r.op, r.project.unwrap_or_default(), r.tenant.unwrap_or_default()))
        };
        for (method, path, wanted) in [
            ("GET", "/", "Ready  "),
            ("POST", "/identitytoolkit.googleapis.com/v1/accounts:signUp", "SignUp  "),
            ("POST", "/v1/accounts:signInWithIdp", "SignInWithIdp  "),
            ("POST", "/www.googleapis.com/identitytoolkit/v3/relyingparty/verifyPassword", "SignInWithPassword  "),
            ("POST", "/securetoken.googleapis.com/v1/token", "Token  "),
            ("POST", "/identitytoolkit.googleapis.com/v2/accounts/mfaSignIn:start", "SecondStart  "),
            ("POST", "/identitytoolkit.googleapis.com/v1/projects/p/accounts", "SignUp p "),
            ("POST", "/identitytoolkit.googleapis.com/v1/projects/p/accounts:lookup", "Lookup p "),
            ("GET", "/identitytoolkit.googleapis.com/v1/projects/p/accounts:batchGet", "BatchGet p "),
            ("POST", "/identitytoolkit.googleapis.com/v1/projects/p:createSessionCookie", "CreateSessionCookie p "),
            ("POST", "/identitytoolkit.googleapis.com/v1/projects/p/tenants/t/accounts:update", "Update p t"),
            ("POST", "/identitytoolkit.googleapis.com/v1/projects/p/tenants/t:createSessionCookie", "CreateSessionCookie p t"),
            ("PATCH", "/identitytoolkit.googleapis.com/v2/projects/p/tenants/t", "SetTenant p t"),
            ("GET", "/identitytoolkit.googleapis.com/v2/projects/p/config", "GetConfig p "),
            ("DELETE", "/emulator/v1/projects/p/accounts", "EmulatorClear p "),
            ("DELETE", "/emulator/v1/projects/p/tenants/t/accounts", "EmulatorClear p t"),
            ("GET", "/emulator/v1/projects/p/oobCodes", "EmulatorOobCodes p "),
            ("GET", "/emulator/action", "Action  "),
            ("POST", "/v1/projects/a%2Fb/accounts", "-"),
            ("GET", "/v1/accounts:signUp", "-"),
            ("POST", "/v1/accounts:fly", "-"),
            ("GET", "/identitytoolkit.googleapis.com/v2/projects/p/oauthIdpConfigs", "-"),
        ] {
            assert_eq!(check(method, path), wanted, "{method} {path}");
        }
    }
}
