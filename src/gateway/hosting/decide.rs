//! What answers a path: redirects, then files, then rewrites, in the order that Hosting documents.

use http::StatusCode;

use super::pattern::{Pattern, fill};
use crate::project::firebase::{Answer, Site};

/// A site whose patterns are compiled.
pub struct Rules {
    pub site: Site,
    redirects: Vec<(Pattern, String, StatusCode)>,
    rewrites: Vec<(Pattern, Answer)>,
    headers: Vec<(Pattern, Vec<(String, String)>)>,
    ignore: Vec<Pattern>,
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A file, by its path below the folder, without a slash before it.
    File(String),
    Redirect(String, StatusCode),
    Function {
        name: String,
        region: Option<String>,
    },
    /// Something that is not emulated.
    Other(String),
    Missing,
}

impl Rules {
    /// Rules that cannot be compiled hold for nothing.
    pub fn of(site: &Site) -> Rules {
        let compiled = |pattern| Pattern::of(pattern);
        let status = |status| StatusCode::from_u16(status).unwrap_or(StatusCode::MOVED_PERMANENTLY);
        Rules {
            redirects: site
                .redirects
                .iter()
                .filter_map(|rule| Some((compiled(&rule.from)?, rule.to.clone(), status(rule.status))))
                .collect(),
            rewrites: site.rewrites.iter().filter_map(|rule| Some((compiled(&rule.from)?, rule.answer.clone()))).collect(),
            headers: site.headers.iter().filter_map(|rule| Some((compiled(&rule.from)?, rule.headers.clone()))).collect(),
            ignore: site.ignore.iter().filter_map(|glob| Pattern::of(&crate::project::firebase::Pattern::Glob(glob.clone()))).collect(),
            site: site.clone(),
        }
    }

    /// Headers that are set for a path: later ones over earlier ones.
    pub fn headers(&self, path: &str) -> impl Iterator<Item = &(String, String)> {
        self.headers.iter().filter(move |(pattern, _)| pattern.matches(path)).flat_map(|(_, headers)| headers)
    }

    /// Whether a file may be served: none that is ignored, none with a dot before its name (`.env`), but for `.well-known`.
    pub fn serves(&self, file: &str) -> bool {
        let hidden = file.split('/').any(|part| part.starts_with('.') && part != ".well-known");
        !hidden && !self.ignore.iter().any(|pattern| pattern.matches(file))
    }

    /// What answers a path, which is decoded. `is_file` says which files there are.
    pub fn decide(&self, path: &str, query: &str, is_file: &dyn Fn(&str) -> bool) -> Decision {
        let found = self.redirects.iter().find_map(|(pattern, to, status)| Some((fill(to, &pattern.captures(path)?), *status)));
        if let Some((to, status)) = found {
            return Decision::Redirect(with_query(&to, query), status);
        }
        let there = |file: &str| self.serves(file) && is_file(file);
        if let Some(decision) = self.file(path, query, &there) {
            return decision;
        }
        match self.rewrites.iter().find(|(pattern, _)| pattern.matches(path)).map(|(_, answer)| answer) {
            Some(Answer::File(file)) => {
                let file = file.trim_start_matches('/');
                if there(file) { Decision::File(file.to_owned()) } else { Decision::Missing }
            }
            Some(Answer::Function { name, region }) => Decision::Function { name: name.clone(), region: region.clone() },
            Some(Answer::Other(what)) => Decision::Other(what.clone()),
            None => Decision::Missing,
        }
    }

    fn file(&self, path: &str, query: &str, there: &dyn Fn(&str) -> bool) -> Option<Decision> {
        let (clean, slash) = (self.site.clean_urls, self.site.trailing_slash);
        let moved = |to: String| Some(Decision::Redirect(with_query(&to, query), StatusCode::MOVED_PERMANENTLY));
        let inner = path.trim_start_matches('/');
        let bare = inner.trim_end_matches('/');
        let ends = inner.is_empty() || inner.ends_with('/');
        let index = if bare.is_empty() { "index.html".to_owned() } else { format!("{bare}/index.html") };
        if !ends && there(inner) {
            if clean && let Some(page) = inner.strip_suffix(".html") {
                let page = page.strip_suffix("index").filter(|folder| folder.is_empty() || folder.ends_with('/')).unwrap_or(page);
                let page = page.trim_end_matches('/');
                return moved(if slash == Some(true) && !page.is_empty() { format!("/{page}/") } else { format!("/{page}") });
            }
            return Some(Decision::File(inner.to_owned()));
        }
        let is_folder = there(&index);
        let page = format!("{bare}.html");
        let is_page = clean && !bare.is_empty() && there(&page);
        if !is_folder && !is_page {
            return None;
        }
        // Without a setting, the URL of a folder ends with a slash and that of a page does not.
        let wanted = slash.unwrap_or(is_folder && !is_page);
        if !bare.is_empty() && wanted != ends {
            return moved(if wanted { format!("/{bare}/") } else { format!("/{bare}") });
        }
        Some(Decision::File(if is_page && !(is_folder && ends) { page } else { index }))
    }
}

fn with_query(to: &str, query: &str) -> String {
    match (query.is_empty(), to.contains('?')) {
        (true, _) => to.to_owned(),
        (false, true) => format!("{to}&{query}"),
        (false, false) => format!("{to}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::firebase::{Pattern as Written, Redirect, Rewrite};

    const FILES: [&str; 7] = ["index.html", "about.html", "docs/index.html", "app.js", ".env", "docs/deep.html", "secret.txt"];

    fn site() -> Site {
        let rewrite = |glob: &str, answer| Rewrite { from: Written::Glob(glob.into()), answer };
        Site {
            names: Vec::new(),
            public: "public".into(),
            ignore: vec!["secret.*".into()],
            clean_urls: false,
            trailing_slash: None,
            redirects: vec![Redirect { from: Written::Glob("/old/:id".into()), to: "/new/:id".into(), status: 302 }],
            rewrites: vec![
                rewrite("/api/**", Answer::Function { name: "api".into(), region: None }),
                rewrite("/spa/**", Answer::File("/index.html".into())),
            ],
            headers: Vec::new(),
        }
    }

    fn check(site: &Site, path: &str, wanted: &str) {
        let shown = match Rules::of(site).decide(path, "q=1", &|file| FILES.contains(&file)) {
            Decision::File(file) => file,
            Decision::Redirect(to, status) => format!("{} {to}", status.as_u16()),
            Decision::Function { name, .. } => format!("function {name}"),
            Decision::Other(what) => what,
            Decision::Missing => "-".into(),
        };
        assert_eq!(shown, wanted, "{path}");
    }

    #[test]
    fn redirects_come_before_files_and_rewrites_after() {
        let site = site();
        check(&site, "/old/7", "302 /new/7?q=1");
        check(&site, "/", "index.html");
        check(&site, "/app.js", "app.js");
        check(&site, "/docs", "301 /docs/?q=1");
        check(&site, "/docs/", "docs/index.html");
        check(&site, "/about", "-");
        check(&site, "/api/x", "function api");
        check(&site, "/spa/any/where", "index.html");
        for hidden in ["/.env", "/secret.txt", "/nothing"] {
            check(&site, hidden, "-");
        }
    }

    #[test]
    fn clean_urls_and_slashes() {
        let clean = Site { clean_urls: true, ..site() };
        check(&clean, "/about", "about.html");
        check(&clean, "/about.html", "301 /about?q=1");
        check(&clean, "/index.html", "301 /?q=1");
        check(&clean, "/docs/index.html", "301 /docs?q=1");
        check(&clean, "/docs/deep", "docs/deep.html");
        let slashes = Site { trailing_slash: Some(true), ..clean.clone() };
        check(&slashes, "/about", "301 /about/?q=1");
        check(&slashes, "/about/", "about.html");
        let none = Site { trailing_slash: Some(false), ..clean };
        check(&none, "/about/", "301 /about?q=1");
        check(&none, "/docs/", "301 /docs?q=1");
        check(&none, "/docs", "docs/index.html");
    }
}
