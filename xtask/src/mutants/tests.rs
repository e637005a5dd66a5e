//! What reads, rewrites and compares, on examples.

use super::known::{compare, read_explained, read_results};
use super::list::{plain, read};
use super::switch::{can_be_switched, mistakes, offset, switch};
use super::*;

const SOURCE: &str = "\
const fn fixed() -> u32 { 1 }

/// Adds. {}
#[inline]
pub fn add(a: [u8; 2]) -> u32 {
    let sum = 1 + 2;
    struct Inner;
    impl Drop for Inner {
        fn drop(&mut self) { note() }
    }
    sum
}

fn made() -> impl Fn() { || note() }
fn takes(f: impl Fn() -> u8, g: impl Fn()) -> u8 { f() }
";

fn mutant(
    number: u32,
    span: (list::Place, list::Place),
    replacement: &str,
    function: (list::Place, list::Place),
) -> Mutant {
    Mutant {
        number,
        name: format!("src/a.rs:1:1: {number}"),
        key: format!("src/a.rs: {number} #1"),
        file: "src/a.rs".into(),
        span,
        replacement: replacement.into(),
        function: Some(function),
    }
}

#[test]
fn the_list_is_read() {
    let json = br#"[{"diff":"x","file":"src/a.rs","function":{"function_name":"f","return_type":"","span":{"start":{"line":1,"column":1},"end":{"line":3,"column":2}}},
"genre":"FnValue","name":"src/a.rs:2:5: replace f with ()","package":"p","replacement":"()","span":{"start":{"line":2,"column":5},"end":{"line":2,"column":9}}},
{"file":"src/b.rs","function":null,"name":"src/b.rs:1:1: replace + with -","replacement":"-","span":{"start":{"line":1,"column":1},"end":{"line":1,"column":2}}}]"#;
    let mutants = read(json).unwrap();
    assert_eq!(mutants.len(), 2);
    assert_eq!(
        (mutants[0].number, mutants[0].name.as_str()),
        (1, "src/a.rs:2:5: replace f with ()")
    );
    assert_eq!(mutants[0].key, "src/a.rs: replace f with () #1");
    assert_eq!(mutants[0].span, ((2, 5), (2, 9)));
    assert_eq!(mutants[0].function, Some(((1, 1), (3, 2))));
    assert_eq!((mutants[1].number, mutants[1].function), (2, None));
    assert!(read(br#"[{"name":"x"}]"#).is_err());
}

#[test]
fn a_name_has_no_place() {
    assert_eq!(
        plain("src/a.rs:12:3: replace A::b -> C with 1"),
        "src/a.rs: replace A::b -> C with 1"
    );
    assert_eq!(plain("src/a.rs: x: y: z"), "src/a.rs: x: y: z");
}

#[test]
fn places_are_in_characters() {
    let text = "ä+b\nc";
    assert_eq!(offset(text, (1, 2)), Some(2));
    assert_eq!(offset(text, (2, 1)), Some(5));
    assert_eq!(offset(text, (2, 2)), Some(6));
    assert_eq!(offset(text, (2, 3)), None);
}

#[test]
fn what_is_const_or_has_no_name_is_not_switched() {
    let with = |function| can_be_switched(SOURCE, &mutant(1, function, "", function));
    assert!(!with(((1, 1), (1, 30))));
    assert!(with(((3, 1), (12, 2))));
    assert!(!with(((14, 1), (14, 37))));
    assert!(with(((15, 1), (15, 56))));
}

#[test]
fn a_function_is_there_once_for_each_mutant() {
    let add = ((3, 1), (12, 2));
    let plus = mutant(7, ((6, 17), (6, 18)), "-", add);
    let whole = mutant(8, ((6, 5), (11, 8)), "0", add);
    let inner = mutant(9, ((9, 30), (9, 36)), "()", ((9, 9), (9, 38)));
    let switched = switch(SOURCE, &[&inner, &plus, &whole]).unwrap();
    let parts = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (before, after) = switched.text.split_once("pub fn").unwrap();
    assert!(before.ends_with("/// Adds. {}\n#[inline]\n"));
    assert_eq!(
        parts(after),
        "add(a: [u8; 2]) -> u32 { \
         if crate::mutation::on(7) { let sum = 1 - 2; struct Inner; impl Drop for Inner { fn drop(&mut self) { note() } } sum } \
         else if crate::mutation::on(8) { 0 } \
         else if crate::mutation::on(9) { let sum = 1 + 2; struct Inner; impl Drop for Inner { fn drop(&mut self) { () } } sum } \
         else { let sum = 1 + 2; struct Inner; impl Drop for Inner { fn drop(&mut self) { note() } } sum } } \
         fn made() -> impl Fn() { || note() } \
         fn takes(f: impl Fn() -> u8, g: impl Fn()) -> u8 { f() }"
    );
    // A mistake in a line is the mutant's whose line it is.
    let lines: Vec<&str> = switched.text.lines().collect();
    for (range, number) in &switched.lines {
        let own = lines[range.start - 1..range.end - 1].join("\n");
        assert_eq!(own.contains("1  -  2"), *number == 7, "{own}");
        assert_eq!(parts(&own) == "{ 0 }", *number == 8);
        assert!(!own.contains("mutation"));
    }
}

#[test]
fn mistakes_are_found_in_the_messages() {
    let said = r#"{"reason":"compiler-message","message":{"level":"warning","spans":[{"is_primary":true,"file_name":"src/w.rs","line_start":1}]}}
{"reason":"compiler-message","message":{"level":"error","spans":[{"is_primary":false,"file_name":"src/no.rs","line_start":1},{"is_primary":true,"file_name":"src/a.rs","line_start":5,"expansion":{"span":{"file_name":"src/b.rs","line_start":6,"expansion":null}}}]}}
{"reason":"build-finished","success":false}"#;
    assert_eq!(
        mistakes(said),
        [("src/a.rs".to_owned(), 5), ("src/b.rs".to_owned(), 6)]
    );
}

#[test]
fn failed_tests_are_found_in_the_output() {
    let said = "running 3 tests\ntest a::b ... ok\ntest c ... FAILED\ntest d - should panic ... FAILED\ntest result: FAILED. 1 passed\n";
    assert_eq!(trial::failed(said).collect::<Vec<_>>(), ["c", "d"]);
}

#[test]
fn the_last_result_counts() {
    let text = "missed\tsrc/a.rs:1:1: x\t\ncaught\tsrc/a.rs:1:1: x\ttimer t\nhung\tsrc/a.rs:2:1: y\tlib\ncaug";
    let results = read_results(text);
    assert_eq!(results.len(), 2);
    assert_eq!(
        results["src/a.rs:1:1: x"],
        (Outcome::Caught, "timer t".to_owned())
    );
    assert_eq!(
        results["src/a.rs:2:1: y"],
        (Outcome::Hung, "lib".to_owned())
    );
}

#[test]
fn the_likeliest_tests_are_those_of_the_same_part() {
    assert_eq!(by_itself::near("src/mmio/block.rs"), ["--test=mmio"]);
    assert_eq!(by_itself::near("src/platform/dma_space.rs"), ["--test=dma"]);
    assert_eq!(
        by_itself::near("src/scope.rs"),
        ["--lib", "--test=teardown"]
    );
}

#[test]
fn names_are_escaped() {
    assert_eq!(
        by_itself::escaped("a.rs:1: replace + with <"),
        r"a\.rs\:1\: replace \+ with <"
    );
}

#[test]
fn explanations_have_a_reason() {
    let good = "# Head\n\nHow.\n\n## Equal\n\nWhy.\n\n- `src/a.rs: replace < with <= in f`\n- `src/a.rs: replace f -> Option<'_> with None` ×2\n";
    let explained = read_explained(good).unwrap();
    assert_eq!(explained["src/a.rs: replace < with <= in f"], 1);
    assert_eq!(explained["src/a.rs: replace f -> Option<'_> with None"], 2);
    for bad in [
        "- `src/a.rs: x`",
        "## Equal\n\n- `src/a.rs: x`",
        "## Equal\n\nWhy.\n\n- `src/a.rs: x`\n- `src/a.rs: x`",
        "## Equal\n\nWhy.\n\n- `src/a.rs: x` and more",
        "## Equal\n\nWhy.\n\n- `src/a.rs: x",
    ] {
        assert!(read_explained(bad).is_err(), "{bad}");
    }
}

#[test]
fn survivors_are_compared_with_what_is_explained() {
    let names = |names: &[(&str, usize)]| {
        names
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    let exist = names(&[("a", 2), ("b", 1), ("c", 1), ("d", 1)]);
    assert!(compare(&names(&[("a", 2)]), &names(&[("a", 2)]), &exist).is_empty());
    let wrong = compare(
        &names(&[("a", 2), ("b", 1)]),
        &names(&[("a", 1), ("c", 1), ("e", 1)]),
        &exist,
    );
    assert_eq!(
        wrong,
        [
            "survives, 2 of it, and 1 are explained: a",
            "survives, 1 of it, and 0 are explained: b",
            "explained, 1 of it, and 0 survive: c",
            "explained, 1 of it, and 0 exist: e",
        ]
    );
}

/// Without cargo-mutants: the file is there, and a function that is so called.
#[test]
fn the_projects_own_explanations_are_of_what_is_there() {
    let explained =
        known::read_explained(&fs::read_to_string(util::root().join(EXPLAINED)).unwrap()).unwrap();
    for name in explained.keys() {
        let (file, what) = name.split_once(": ").unwrap();
        let text = fs::read_to_string(util::root().join(file))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let function = match what.rsplit_once(" in ") {
            Some((_, function)) => function,
            None => what
                .strip_prefix("replace ")
                .unwrap()
                .split(" -> ")
                .next()
                .unwrap()
                .split(" with ")
                .next()
                .unwrap(),
        };
        let function = function.rsplit("::").next().unwrap();
        // An operator alone is in a constant.
        let named = function.starts_with(|c: char| c.is_alphabetic());
        assert!(
            !named || text.contains(&format!("fn {function}")),
            "{name}: no such function"
        );
    }
}
