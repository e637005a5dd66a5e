//! Reading assembly.

use std::collections::BTreeMap;

/// The instructions of a function, by its name.
pub type Functions = BTreeMap<String, Vec<String>>;

/// What is not in a protected read: an atomic read-modify-write, a fence. (Of x86, where that is looked at.)
const COSTLY: [&str; 6] = ["lock", "xchg", "xadd", "mfence", "lfence", "sfence"];

/// The barriers of all machines.
const BARRIERS: [&str; 7] = ["mfence", "lfence", "sfence", "lock", "dmb", "dsb", "fence"];

/// What always leaves a function (but for its return), or ends the program.
const LEAVING: [&str; 13] = [
    "call", "callq", "bl", "blr", "br", "tail", "ud2", "int3", "hlt", "brk", "udf", "unimp",
    "ebreak",
];

/// The functions of an assembly file: labels at the start of a line, up to the end of the function, without directives and comments.
/// Local labels are numbered anew in each function, so that they compare.
pub fn functions(assembly: &str, comment: &str) -> Functions {
    let mut all = Functions::new();
    let mut current: Option<(String, Vec<String>)> = None;
    for line in assembly.lines() {
        let code = line.split(comment).next().unwrap_or_default().trim_end();
        if code.starts_with(".Lfunc_end") {
            if let Some((name, code)) = current.take() {
                all.insert(name, renumber(code));
            }
        } else if let Some(label) = code
            .strip_suffix(':')
            .filter(|label| !label.starts_with('.'))
        {
            current = Some((label.to_owned(), Vec::new()));
        } else if let Some((_, body)) = &mut current {
            let code = code.trim();
            let directive = code.starts_with('.') && !is_label(code);
            if !code.is_empty() && !directive {
                body.push(code.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
    }
    all
}

/// `.LBB4_1` is the first local label of function number 4: the number of the function is no part of its code.
fn renumber(code: Vec<String>) -> Vec<String> {
    code.into_iter()
        .map(|line| match line.split_once(".LBB") {
            Some((before, label)) => {
                let number = label.split_once('_').map_or(label, |(_, number)| number);
                format!("{before}.L{number}")
            }
            None => line,
        })
        .collect()
}

fn is_label(line: &str) -> bool {
    line.ends_with(':')
}

fn mnemonic(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn matching(code: &[String], which: impl Fn(&str) -> bool) -> Vec<&str> {
    code.iter()
        .map(String::as_str)
        .filter(|line| which(line))
        .collect()
}

/// How many instructions.
pub fn count(code: &[String]) -> usize {
    code.iter().filter(|line| !is_label(line)).count()
}

pub fn barriers(code: &[String]) -> Vec<&str> {
    matching(code, |line| BARRIERS.contains(&mnemonic(line)))
}

/// Calls, jumps to other functions, traps: all by which a panic could be reached.
pub fn leaving(code: &[String]) -> Vec<&str> {
    matching(code, |line| {
        let mnemonic = mnemonic(line);
        // Conditional ones of aarch64 and RISC-V have a local target only; on x86 each begins with a `j`.
        let jump = mnemonic.starts_with('j') || mnemonic == "b" || mnemonic.starts_with("b.");
        let target = line.rsplit(' ').next().unwrap_or_default();
        LEAVING.contains(&mnemonic) || (jump && !target.starts_with(".L"))
    })
}

/// Accesses of aarch64 that change the register of the address by the way (but for the stack's own).
pub fn write_back(code: &[String]) -> Vec<&str> {
    matching(code, |line| {
        let mnemonic = mnemonic(line);
        (mnemonic.starts_with("ld") || mnemonic.starts_with("st"))
            && (line.contains("], ") || line.ends_with("]!"))
            && !line.contains("[sp")
    })
}

/// The instructions that a protected read must not have, and calls besides the one for a thread's first or nested section.
pub fn costly(code: &[String]) -> Vec<&str> {
    let mut found = matching(code, |line| {
        COSTLY
            .iter()
            .any(|costly| mnemonic(line).starts_with(costly))
    });
    let calls = matching(code, |line| mnemonic(line).starts_with("call"));
    found.extend(calls.into_iter().skip(1));
    found
}

/// Functions with a plain name that are not in the list.
pub fn strangers<'a>(all: &'a Functions, known: &[&str]) -> Vec<&'a str> {
    all.keys()
        .map(String::as_str)
        .filter(|name| !name.starts_with('_') && !known.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    const X86: &str = "\
\t.globl\tread_u8
read_u8:
\t.cfi_startproc
\t#APP
\t#NO_APP
\tmovzbl\t1(%rdi), %eax   # a comment
.LBB3_1:
\tjne\t.LBB3_1
\tretq
.Lfunc_end3:
\t.size\tread_u8, .Lfunc_end3-read_u8
\t.cfi_endproc
";

    #[test]
    fn functions_are_found_and_labels_do_not_matter() {
        let here = functions(X86, "#");
        assert_eq!(
            here["read_u8"],
            ["movzbl 1(%rdi), %eax", ".L1:", "jne .L1", "retq"]
        );
        assert_eq!(here, functions(&X86.replace('3', "7"), "#"));
    }

    #[test]
    fn on_aarch64_a_number_sign_is_no_comment() {
        let text = "\
element_nth:
\t//APP
\tdmb\toshld
\t//NO_APP
\tldr\tw0, [x0, #280] // a comment
\tret
.Lfunc_end5:
\t.size\telement_nth, .Lfunc_end5-element_nth
.Lanon.1:
\t.ascii\t\"no function\"
";
        let found = functions(text, "//");
        assert_eq!(
            found["element_nth"],
            ["dmb oshld", "ldr w0, [x0, #280]", "ret"]
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn on_riscv_functions_need_no_frame_information() {
        let text = "\
memory_then_write:
\tsw\ta2, 0(a1)
\t#APP
\tfence\tow, ow
\t#NO_APP
\tret
.Lfunc_end7:
other:
\tret
.Lfunc_end8:
";
        let found = functions(text, "#");
        assert_eq!(
            found["memory_then_write"],
            ["sw a2, 0(a1)", "fence ow, ow", "ret"]
        );
        assert_eq!(barriers(&found["memory_then_write"]), ["fence ow, ow"]);
        assert_eq!(strangers(&found, &["memory_then_write"]), ["other"]);
    }

    #[test]
    fn what_leaves_a_function_is_told() {
        for line in [
            "callq *_ZN4core9panicking5panic@GOTPCREL(%rip)",
            "jmp _ZN4core9panicking5panic",
            "ud2",
            "bl _ZN4core9panicking5panic",
            "b _ZN4core9panicking5panic",
            "blr x8",
            "brk #0x1",
            "call _ZN4core9panicking5panic",
            "tail _ZN4core9panicking5panic",
            "j _ZN4core9panicking5panic",
            "jalr t1",
            "unimp",
        ] {
            assert_eq!(leaving(&code(&[line, "ret"])), [line]);
        }
        for line in [
            "jne .L1",
            "jmp .L1",
            "retq",
            "b .L1",
            "b.hi .L1",
            "cbz w0, .L1",
            "bltu a0, a1, .L1",
            "j .L1",
            "ret",
            "bswapl %eax",
            ".L1:",
            "bfi w0, w1, #4, #3",
        ] {
            assert!(leaving(&code(&[line])).is_empty(), "{line}");
        }
    }

    #[test]
    fn write_back_of_the_address_is_told() {
        for line in [
            "ldr w0, [x1], #4",
            "ldrb w0, [x1], x2",
            "str w0, [x1, #4]!",
            "stp x0, x1, [x2], #16",
        ] {
            assert_eq!(write_back(&code(&[line])), [line]);
        }
        for line in [
            "ldr w0, [x1, #4]",
            "str x30, [sp, #-16]!",
            "ldr w0, [x1, x2, lsl #2]",
            "sw a0, 4(a1)",
            "movl 4(%rdi), %eax",
        ] {
            assert!(write_back(&code(&[line])).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_costly_instruction_is_told() {
        assert!(costly(&code(&["movq (%rdi), %rax", "callq *slow(%rip)", "retq"])).is_empty());
        assert_eq!(costly(&code(&["mfence", "retq"])), ["mfence"]);
        assert_eq!(costly(&code(&["lock", "addq $4, (%rdi)"])), ["lock"]);
        assert_eq!(
            costly(&code(&["xchgq %rax, (%rdi)"])),
            ["xchgq %rax, (%rdi)"]
        );
        assert_eq!(costly(&code(&["callq a", "callq b"])), ["callq b"]);
    }
}
