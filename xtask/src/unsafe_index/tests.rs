use std::fs;
use std::path::PathBuf;

use super::scan::{sites, test_modules, Kind, Site};
use super::{claims, complaint, page, Sites};

fn the_site(text: &str) -> Site {
    let mut found = sites(text).expect("a source");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// What kind, where, on what it rests.
fn told(site: &Site) -> (Kind, &str, String) {
    (site.kind, &site.item, site.reasons.join(" "))
}

#[test]
fn a_block_is_found_with_its_comment() {
    let site = the_site(
        "impl<'a, T: Clone> Once<T> {\n    fn get(&self) -> Option<&T> {\n        // SAFETY: it is there, and stays. More is\n        // told here. [CLAIMED, STAYS]\n        unsafe { here() }\n    }\n}",
    );
    assert_eq!(
        told(&site),
        (Kind::Block, "Once::get", "CLAIMED STAYS".to_owned())
    );
    assert_eq!(site.argument, "it is there, and stays.");
    assert_eq!(site.line, 5);
}

#[test]
fn a_comment_stands_above_the_statement() {
    for text in [
        "fn f() {\n    // SAFETY: so. [LOCAL]\n    self.cell\n        .with(|cell| unsafe { &*cell });\n}",
        "fn f() {\n    // SAFETY: so. [LOCAL]\n    #[allow(all)]\n    return unsafe { g() };\n}",
        "fn f() {\n    unsafe {\n        // SAFETY: so. [LOCAL]\n        g()\n    }\n}",
        "fn f() {\n    // Acquire: something else.\n    // SAFETY: so. [LOCAL] Relaxed: as above.\n    unsafe { g() }\n}",
    ] {
        let site = the_site(text);
        assert_eq!(told(&site), (Kind::Block, "f", "LOCAL".to_owned()), "{text}");
        assert_eq!(site.argument, "so.", "{text}");
    }
}

#[test]
fn a_comment_of_the_statement_before_is_none() {
    for text in [
        "fn f() {\n    // SAFETY: so. [LOCAL]\n    unsafe { g() };\n    unsafe { g() };\n}",
        "fn f() {\n    h(\n        // SAFETY: so. [LOCAL]\n        unsafe { g() },\n        unsafe { g() },\n    );\n}",
        "fn f() {\n    // SAFETY: so. [LOCAL]\n    unsafe { g() };\n\n    unsafe { g() };\n}",
    ] {
        let found = sites(text).expect("a source");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].argument, "", "{text}");
    }
}

#[test]
fn macros_are_looked_into() {
    let text = "macro_rules! word {\n    ($($word:ty),*) => {$(\n        impl Word for $word {\n            unsafe fn read(at: *const Self) -> Self {\n                // SAFETY: the caller's promise. [CALLER]\n                unsafe { at.read() }\n            }\n        }\n        // SAFETY: a number. [SHARED]\n        unsafe impl Send for $word {}\n    )*};\n}\nthing! {\n    // SAFETY: so. [LOCAL]\n    unsafe { g() }\n}";
    let found = sites(text).expect("a source");
    let told: Vec<_> = found.iter().map(told).collect();
    let word = |inner: &str| format!("word!::{inner}");
    assert_eq!(
        told,
        [
            (
                Kind::Function,
                word("<$word as Word>::read").as_str(),
                "CALLER".to_owned()
            ),
            (
                Kind::Block,
                word("<$word as Word>::read").as_str(),
                "CALLER".to_owned()
            ),
            (Kind::Impl, "<$word as Send>", "SHARED".to_owned()),
            (Kind::Block, "(the file)", "LOCAL".to_owned()),
        ]
    );
}

#[test]
fn all_kinds_are_told_apart() {
    let text = "/// A thing.\n///\n/// # Safety\n/// It does. More.\npub unsafe trait Bus<'a>: Sized {\n    /// Reads.\n    ///\n    /// # Safety\n    /// `at` is inside. And aligned.\n    #[inline]\n    unsafe fn read(at: usize);\n}\n// SAFETY: it does. [PROMISE]\nunsafe impl<B: Other<X = u8>> Bus<'_> for m::Mem<B> where B: Sized {\n    unsafe fn read(_: usize) {}\n}\n// SAFETY: as it is there. [FOREIGN]\nextern \"C\" {\n    fn f();\n}\n// SAFETY: the only one. [LOCAL]\n#[no_mangle]\nfn g(run: unsafe extern \"C\" fn(u8), _: unsafe fn()) {}\n// SAFETY: stops. [MACHINE]\nglobal_asm!(\"ud2\");";
    let found = sites(text).expect("a source");
    let told: Vec<_> = found
        .iter()
        .map(|site| (site.kind, site.item.as_str(), site.argument.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::Trait, "Bus", "It does."),
            (Kind::Function, "Bus::read", "`at` is inside."),
            (Kind::Impl, "<Mem as Bus>", "it does."),
            (Kind::Function, "<Mem as Bus>::read", "As the trait says."),
            (Kind::Extern, "(the file)", "as it is there."),
            (Kind::Attribute, "g", "the only one."),
            (Kind::Assembly, "(the file)", "stops."),
        ]
    );
}

#[test]
fn tests_are_left_out() {
    let text = "#[cfg(all(test, not(loom)))]\nmod tests {\n    fn f() { unsafe { g() } }\n}\n#[cfg(test)]\nmod more;\n#[cfg(any(test, unix))]\nfn h() { unsafe { g() } }\n#[cfg(test)]\nfn i(x: [u8; 3]) { unsafe { g() } }\n#[cfg(not(loom))]\nmod queue;";
    let site = the_site(text);
    assert_eq!((site.item.as_str(), site.line), ("h", 8));
    assert_eq!(test_modules(text).expect("a source"), ["more"]);
}

#[test]
fn what_names_no_invariant_is_complained_of() {
    let known = [("SHUT".to_owned(), "it is over".to_owned())];
    let complaint = |text: &str| complaint(&the_site(text), &known).unwrap_or_default();
    let none = complaint("fn f() { unsafe { g() } }");
    assert!(none.contains("no `// SAFETY:` comment"), "{none}");
    let unnamed = complaint("fn f() {\n    // SAFETY: so, by [`g`].\n    unsafe { g() }\n}");
    assert!(unnamed.contains("names no invariant"), "{unnamed}");
    let unknown = complaint("fn f() {\n    // SAFETY: so. [SHUT, SHOT]\n    unsafe { g() }\n}");
    assert!(unknown.contains("rests on SHOT"), "{unknown}");
    let undocumented = complaint("/// Does it.\nunsafe fn f() {}");
    assert!(undocumented.contains("no `# Safety`"), "{undocumented}");
    assert_eq!(
        complaint("fn f() {\n    // SAFETY: so. [SHUT]\n    unsafe { g() }\n}"),
        ""
    );
}

#[test]
fn a_page_tells_of_each_site_once_and_of_what_changed() {
    let text = "fn f() {\n    // SAFETY: so. [SHUT]\n    unsafe { g() };\n    // SAFETY: so. [SHUT]\n    unsafe { g() };\n}";
    let known = [("SHUT".to_owned(), "it is over".to_owned())];
    let of = |text: &str| Sites::from([("src/a.rs".to_owned(), sites(text).expect("a source"))]);
    let before = page::page(&of(text), &known);
    assert!(
        before.contains("| `f` | block (2) | SHUT | so. |"),
        "{before}"
    );
    assert!(
        before.contains("| SHUT | it is over | 2 | `src/a.rs` |"),
        "{before}"
    );
    assert!(before.contains("| all | 2 | 0 |"), "{before}");
    // Lines come and go without a change.
    let moved = format!("// One more.\n{text}");
    assert_eq!(
        page::differences(&before, &page::page(&of(&moved), &known)),
        None
    );
    let after = page::page(&of(&text.replacen("so.", "and so.", 1)), &known);
    let told = page::differences(&before, &after).expect("other text");
    assert!(
        told.contains("- `src/a.rs`: | `f` | block (2) | SHUT | so. |"),
        "{told}"
    );
    assert!(
        told.contains("+ `src/a.rs`: | `f` | block | SHUT | and so. |"),
        "{told}"
    );
}

#[test]
fn invariants_are_read() {
    let text = "### 1. BRAND: nobody names it\ntext\n### Code\n### 2. SHUT: it: over\n";
    let found = claims::invariants(text).expect("two");
    let of = |name: &str, says: &str| (name.to_owned(), says.to_owned());
    assert_eq!(
        found,
        [of("BRAND", "nobody names it"), of("SHUT", "it: over")]
    );
    assert!(claims::invariants("### 1. A: x\n### 3. B: y").is_err());
    assert!(claims::invariants("### 1. A: x\n### 2. A: y").is_err());
    assert!(claims::invariants("no heading").is_err());
}

/// A tree that has one of each.
fn tree() -> PathBuf {
    let root = std::env::temp_dir().join(format!(
        "unsafe-index-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    for (file, text) in [
        ("tests/GUARDS.md", "### scope-variance\n"),
        ("tests/loom/README.md", "### queue-lost\n"),
        ("tests/loom/last_touch.rs", "pub fn a_model() {}"),
        ("tests/busy.rs", "#[test]\nfn one() {}"),
        ("tests/busy/parts.rs", "fn inner() {}"),
        (
            "src/scope.rs",
            "pub(crate) unsafe fn register<R>(x: R) {}\npub struct Core<P>(P);",
        ),
        ("ui-tests/brand/shortened.rs", ""),
        ("xtask/src/main.rs", "\"fuzz\" => fuzz(),"),
    ] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    root
}

#[test]
fn what_is_named_must_be_there() {
    let root = tree();
    let traps: String = (1..=20)
        .map(|trap| format!("| {trap} | a | b | — |\n"))
        .collect();
    let missing = |text: &str| {
        let text = format!("{text}\n\n{traps}");
        claims::missing(&text, &root).expect("a tree")
    };
    for right in [
        "Shown by: ui: `brand/shortened`, `brand/*`; loom: `last_touch`, `a_model`, `last_*`; guards: `scope-variance`, `queue-lost`",
        "Shown by: `busy.rs`: `one`, `inner`; `cargo xtask fuzz`; `tests/loom`",
        "Code: `src/scope.rs` `register`, `Core`",
        "It is `nothing` of ours, in `scope.rs`.",
        "| 1c | `some` words | `other` | ui: `brand/shortened`; `busy.rs`: `one` |",
    ] {
        assert_eq!(missing(right), [""; 0], "{right}");
    }
    for wrong in [
        "Shown by: ui: `brand/shortend`",
        "Shown by: ui: `brnd/shortened`",
        "Shown by: loom: `last_tuch`",
        "Shown by: loom: `scope-variance`",
        "Shown by: guards: `scope-varianz`",
        "Shown by: `bus.rs`",
        "Shown by: `busy.rs`: `two`",
        "Shown by: `cargo xtask fuss`",
        "Shown by: `one`",
        "Shown by: `busy.rs`: `one`,\nloom: `last_tuch`",
        "Code: `src/scope.rs` `registr`",
        "Told in `scop.rs`.",
        "| 1c | some | other | ui: `brand/shortend` |",
    ] {
        assert_eq!(missing(wrong).len(), 1, "{wrong}: {:?}", missing(wrong));
    }
    let without = claims::missing("| 1 | a | b | — |", &root).expect("a tree");
    assert_eq!(without.len(), 19);
    fs::remove_dir_all(root).expect("it was there");
}
