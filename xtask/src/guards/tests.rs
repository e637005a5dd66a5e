use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::util;

use super::copy::*;
use super::entries::*;
use super::verdicts::*;
use super::*;

const DOCUMENT: &str = "\
# Guards

Text, with ### in it, and a block that is no entry:

```sh
cargo xtask guards
```

### first-one

A `set` is not published by `Release`. `src/a.rs`

```diff
 before
-    old
+    new
@@
+added

 after
```

Fails:
- `models::of_loom`
- `timer: host::test` (hangs)
- `ui: brand/program`

Then text, with
- `no test`

### second

First `src/b.rs`:

```diff
-x
```

then `tests/c.rs`:

```diff
-y
+z
```

Not detected: redundant.

## Something else

### third

In `src/d.rs`

```diff
-x
```

Fails:

- `lib: unit`
";

fn the_entry(text: &str) -> Result<Entry> {
    let entry = parse("test", text)?.pop();
    entry.context("no entry")
}

#[test]
fn entries_are_read() {
    let entries = parse("test", DOCUMENT).unwrap();
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["first-one", "second", "third"]);
    let [first, second, third] = &entries[..] else {
        unreachable!()
    };
    let hunk = |old: &str, new: &str| Hunk {
        old: old.into(),
        new: new.into(),
    };
    assert_eq!(
        first.edits,
        [Edit {
            path: "src/a.rs".into(),
            hunks: vec![
                hunk("before\n    old\n", "before\n    new\n"),
                hunk("\nafter\n", "added\n\nafter\n"),
            ],
        }]
    );
    let named: Vec<String> = first.tests.iter().map(Test::to_string).collect();
    assert_eq!(
        named,
        ["models::of_loom", "timer: host::test", "ui: brand/program"]
    );
    let suites: Vec<&Suite> = first.tests.iter().map(|test| &test.suite).collect();
    assert_eq!(
        suites,
        [&Suite::Loom, &Suite::Program("timer".into()), &Suite::Ui]
    );
    let paths: Vec<&str> = second.edits.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["src/b.rs", "tests/c.rs"]);
    assert_eq!(second.edits[0].hunks, [hunk("x\n", "")]);
    assert!(second.tests.is_empty());
    assert_eq!(third.tests, [test("lib: unit")]);
}

#[test]
fn broken_entries_are_refused() {
    for (text, why) in [
        ("### a b\n", "letters"),
        ("### a\n`src/a.rs`\n", "no diff"),
        (
            "### a\nNo file.\n```diff\n-x\n```\nFails:\n- `t`\n",
            "no file",
        ),
        ("### a\n`src/a.rs`\n```diff\n-x\n", "does not end"),
        ("### a\n`src/a.rs`\n```diff\n-x\n```\n", "either"),
        (
            "### a\n`src/a.rs`\n```diff\n-x\n```\nNot detected: no.\nFails:\n- `t`\n",
            "either",
        ),
        (
            "### a\n`src/a.rs`\n```diff\n-x\n```\nFails:\n- t\n",
            "no `test`",
        ),
        (
            "### a\n`src/a.rs`\n```diff\n+x\n```\nFails:\n- `t`\n",
            "no place",
        ),
        (
            "### a\n`src/a.rs`\n```diff\n x\n```\nFails:\n- `t`\n",
            "nothing",
        ),
        (
            "### a\n`src/a.rs`\n```diff\nx\n```\nFails:\n- `t`\n",
            "neither",
        ),
    ] {
        let error = format!("{:#}", the_entry(text).unwrap_err());
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn old_text_must_be_there_once_as_whole_lines() {
    let hunks = |lines: &[&str]| parse_diff(lines).unwrap();
    let text = "a\n  b\nbc\n  b\nd\n";
    assert_eq!(
        apply(text, &hunks(&["-d", "+e", "@@", "-bc"])).unwrap(),
        "a\n  b\n  b\ne\n"
    );
    assert_eq!(
        apply(text, &hunks(&[" a", "-  b"])).unwrap(),
        "a\nbc\n  b\nd\n"
    );
    for (lines, why) in [
        (&["-  b"][..], "more than once"),
        (&["-b"], "not there"),
        (&["- b"], "not there"),
        (&[" a", "-d"], "not there"),
        (&["-a", "-  b", "@@", "-  b", "-bc"], "overlap"),
    ] {
        let error = apply(text, &hunks(lines)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn programs_are_found_in_the_messages() {
    let messages = r#"{"reason":"x","target":{"kind":["lib"],"name":"a"},"executable":null}
{"reason":"x","target":{"kind":["lib"],"name":"a"},"executable":"/a-1"}
{"reason":"x","target":{"kind":["example"],"name":"timer"},"executable":"/e"}
{"reason":"x","target":{"kind":["test"],"name":"timer"},"executable":"/t-1"}
{"reason":"build-finished","success":true}"#;
    let found = executables(messages);
    let found: Vec<_> = found.iter().map(|(n, p)| (n.as_str(), p)).collect();
    assert_eq!(
        found,
        [
            ("lib", &PathBuf::from("/a-1")),
            ("timer", &PathBuf::from("/t-1"))
        ]
    );
}

#[test]
fn what_trybuild_says_is_understood() {
    let said = "\
test accept/enter.rs [should pass] ... ok
test brand/a.rs [should fail to compile] ... error
Expected test case to fail to compile, but it succeeded.

test brand/b.rs [should fail to compile] ... mismatch

EXPECTED:
test brand/c.rs ... ok
test /copies/ui/brand/d.rs [should fail to compile] ... wip
";
    for (name, expected) in [
        ("accept/enter", Some(Verdict::AsExpected)),
        ("brand/a", Some(Verdict::Accepted)),
        ("brand/b", Some(Verdict::RefusedOtherwise)),
        ("brand/c", Some(Verdict::AsExpected)),
        ("brand/d", Some(Verdict::AsExpected)),
        ("brand/e", None),
        ("rand/a", None),
    ] {
        assert_eq!(verdict(said, name), expected, "{name}");
    }
    let slow = "test brand/a.rs ... test ui has been running for over 60 seconds\nok\n";
    let said = without_notice(slow);
    assert_eq!(verdict(&said, "brand/a"), Some(Verdict::AsExpected));
}

#[test]
fn what_the_bare_machine_says_is_understood() {
    let said = "BARE-CHECK clock ok\r\nBARE-CHECK cycles FAILED ok\r\nBARE-CHECK loads ok\r\n";
    assert!(passed(said, "clock"));
    assert!(passed(said, "surprise/clock"));
    for name in ["cycles", "load", "CHECK", ""] {
        assert!(!passed(said, name), "{name}");
    }
    assert_eq!(test("bare: surprise/clock").suite, Suite::Bare);
    assert_eq!(test("bare: clock").to_string(), "bare: clock");
}

#[test]
fn a_test_ends_in_one_of_four_ways() {
    let folder = std::env::temp_dir().join(format!("guards-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (script, limit, expected) in [
        ("exit 0", 60_000, Ending::Passed),
        ("exit 101", 60_000, Ending::Failed),
        ("kill -ABRT $$", 60_000, Ending::Aborted),
        ("exec sleep 60", 100, Ending::Hung),
    ] {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]);
        let (ending, _) = finish(sh, Duration::from_millis(limit), &folder.join("output")).unwrap();
        assert_eq!(ending, expected, "{script}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_projects_own_entries_are_well_formed_and_apply() {
    let entries = load().unwrap();
    assert!(entries.len() > 50);
    for entry in entries {
        for edit in &entry.edits {
            let text = fs::read_to_string(util::root().join(&edit.path)).unwrap();
            if let Err(error) = apply(&text, &edit.hunks) {
                panic!("{}: {}: {error}", entry.id, edit.path);
            }
        }
    }
}
