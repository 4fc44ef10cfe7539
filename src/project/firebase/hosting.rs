//! The sites of `firebase.json`. Where several rules of a kind match a path, the first holds; all headers that match are set.

use std::path::PathBuf;

use super::{Scene, texts};
use crate::base::re2;
use crate::project::model::Problem;
use crate::project::yaml::Node;

/// Bytes of a compiled regular expression.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A site: a folder, and rules about the paths of requests.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Names by which it is meant: its own, its deployment target, and those that the target stands for.
    pub names: Vec<String>,
    /// The folder, below the project's.
    pub public: PathBuf,
    pub ignore: Vec<String>,
    pub clean_urls: bool,
    /// `None`: folders' URLs end with a slash where they have a page.
    pub trailing_slash: Option<bool>,
    pub redirects: Vec<Redirect>,
    pub rewrites: Vec<Rewrite>,
    pub headers: Vec<HeaderRule>,
}

/// Which paths a rule is about.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    Glob(String),
    Regex(String),
}

#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub from: Pattern,
    pub to: String,
    pub status: u16,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    pub from: Pattern,
    pub answer: Answer,
}

/// What answers a path that is rewritten.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    File(String),
    Function {
        name: String,
        region: Option<String>,
    },
    /// Something that is not emulated, by its name.
    Other(String),
}

#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct HeaderRule {
    pub from: Pattern,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

pub(super) fn site(one: &Node, scene: &mut Scene<'_>, targets: &dyn Fn(&str, &str) -> Vec<String>) -> Option<Site> {
    let text = |name: &str| one.get(name).and_then(Node::scalar);
    let Some(public) = one.get("public") else {
        // The app of a web framework is named in a warning already.
        if one.get("source").is_none() {
            scene.problems.push(Problem::error(&one.at, "the site has no folder").with_help("such as `\"public\": \"public\"`"));
        }
        return None;
    };
    let folder = scene.inside(public.as_text().unwrap_or_default(), &public.at)?;
    if !scene.root.join(&folder).is_dir() {
        scene.problems.push(Problem::warning(&public.at, format!("there is no folder `{}`", folder.display())));
    }
    let target = text("target");
    let mut names: Vec<String> = text("site").into_iter().chain(target.clone()).collect();
    names.extend(target.into_iter().flat_map(|target| targets("hosting", &target)));
    let rules = |name: &str| one.get(name).map(Node::items).unwrap_or_default();
    Some(Site {
        names,
        public: folder,
        ignore: texts(one.get("ignore")),
        clean_urls: one.get("cleanUrls").and_then(Node::as_bool).unwrap_or(false),
        trailing_slash: one.get("trailingSlash").and_then(Node::as_bool),
        redirects: rules("redirects").iter().filter_map(|rule| redirect(rule, scene)).collect(),
        rewrites: rules("rewrites").iter().filter_map(|rule| rewrite(rule, scene)).collect(),
        headers: rules("headers").iter().filter_map(|rule| headers(rule, scene)).collect(),
    })
}

fn pattern(rule: &Node, scene: &mut Scene<'_>) -> Option<Pattern> {
    let glob = rule.get("source").or_else(|| rule.get("glob")).and_then(Node::as_text);
    match (glob, rule.get("regex")) {
        (Some(glob), _) => Some(Pattern::Glob(glob.to_owned())),
        (None, Some(regex)) => match re2::compile(regex.as_text()?, PATTERN_BYTES_MAX) {
            Ok(_) => Some(Pattern::Regex(regex.as_text()?.to_owned())),
            Err(error) => {
                let why = error.to_string().lines().last().unwrap_or_default().to_owned();
                scene.problems.push(Problem::error(&regex.at, format!("this is no regular expression: {why}")));
                None
            }
        },
        (None, None) => {
            scene.problems.push(Problem::error(&rule.at, "the rule does not say which paths it is about").with_help("add a `source`"));
            None
        }
    }
}

fn redirect(rule: &Node, scene: &mut Scene<'_>) -> Option<Redirect> {
    let from = pattern(rule, scene)?;
    let Some(to) = rule.get("destination").and_then(Node::scalar) else {
        scene.problems.push(Problem::error(&rule.at, "the redirect has no `destination`"));
        return None;
    };
    let status = rule.get("type").and_then(Node::as_int).and_then(|status| u16::try_from(status).ok()).unwrap_or(301);
    Some(Redirect { from, to, status })
}

fn rewrite(rule: &Node, scene: &mut Scene<'_>) -> Option<Rewrite> {
    let from = pattern(rule, scene)?;
    let text = |node: &Node, name: &str| node.get(name).and_then(Node::scalar);
    let answer = if let Some(file) = text(rule, "destination") {
        Answer::File(file)
    } else if let Some(function) = rule.get("function") {
        match function.as_text() {
            Some(name) => Answer::Function { name: name.to_owned(), region: text(rule, "region") },
            None => Answer::Function { name: text(function, "functionId")?, region: text(function, "region") },
        }
    } else {
        let other = ["run", "dynamicLinks"].into_iter().find(|name| rule.get(name).is_some());
        match other {
            Some(other) => Answer::Other(other.to_owned()),
            None => {
                let help = "add a `destination` or a `function`";
                scene.problems.push(Problem::error(&rule.at, "the rewrite does not say what answers").with_help(help));
                return None;
            }
        }
    };
    Some(Rewrite { from, answer })
}

fn headers(rule: &Node, scene: &mut Scene<'_>) -> Option<HeaderRule> {
    let from = pattern(rule, scene)?;
    let list = rule.get("headers").map(Node::items).unwrap_or_default();
    let one = |header: &Node| Some((header.get("key")?.scalar()?, header.get("value")?.scalar()?));
    Some(HeaderRule { from, headers: list.iter().filter_map(one).collect() })
}
