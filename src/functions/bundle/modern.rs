//! The AWS SDK in its ES modules. Node takes the SDK's CommonJS, which cannot be shaken and is four times the code; both are the same
//! program, so the bundler takes what it can shake. Other packages are taken as Node takes them: their two forms may differ.

use std::borrow::Cow;
use std::path::Path;

use rolldown::plugin::{
    HookResolveIdArgs, HookResolveIdOutput, HookResolveIdReturn, HookUsage, Plugin, PluginContext, PluginContextResolveOptions,
};

#[derive(Debug)]
pub(super) struct Modern;

impl Plugin for Modern {
    fn name(&self) -> Cow<'static, str> {
        "emu:modern".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId
    }

    async fn resolve_id(&self, context: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        if args.is_entry || !is_sdk(args.specifier) {
            return Ok(None);
        }
        let options = PluginContextResolveOptions { import_kind: args.kind, ..PluginContextResolveOptions::default() };
        let Ok(resolved) = context.resolve(args.specifier, args.importer, Some(options)).await? else { return Ok(None) };
        let id = resolved.id.as_str();
        let Some(modern) = counterpart(id) else { return Ok(None) };
        let package_json_path = resolved.package_json.map(|package| package.realpath().to_string_lossy().into_owned());
        Ok(Some(HookResolveIdOutput { package_json_path, ..HookResolveIdOutput::from_id(modern) }))
    }
}

/// Packages of the SDK's own build, which has both forms in `dist-cjs` and `dist-es`.
fn is_sdk(specifier: &str) -> bool {
    ["@aws-sdk/", "@smithy/", "@aws/"].iter().any(|scope| specifier.starts_with(scope))
}

/// The ES module beside a CommonJS one, if it is there.
fn counterpart(file: &str) -> Option<String> {
    let (package, rest) = file.rsplit_once("/dist-cjs/")?;
    let modern = format!("{package}/dist-es/{rest}");
    Path::new(&modern).is_file().then_some(modern)
}
