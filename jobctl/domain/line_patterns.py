"""Patterns of output lines that name a cause, and of lines that do not."""

from __future__ import annotations

import re

from jobctl.domain.patterns import late


def any_of(*patterns: str, whole: bool = False) -> re.Pattern[str]:
    """One pattern that matches where any of them does, at the beginning of a line or as a whole line."""
    return late(f"(?:{'|'.join(patterns)})" + (r"\s*\Z" if whole else ""))


NO_WORDS = late(r"[\W\d_]*\Z")
#: Units of figures, and the words of progress bars.
UNITS = late(r"(?<=\d)\s?(?:[kMGT]?i?B(?:/s)?|it/s|items?|files?|rows?|[hms]|ms|of|done)\b|<n>|\b(?:ETA|eta)\b")
BAR = late(
    r"\d{1,3}(?:\.\d+)?\s?%.*(?:[|\[(].*[|\])]|ETA|eta|B/s)|[█▏▎▍▌▋▊▉━░▒▓⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]"
    r"|\[[=#>.\- *]{3,}\]|it/s\]|^[\s\d.:%kMG/-]+$|^\s*\d{1,3}(?:\.\d+)?\s?%"
)
NEVER = any_of(
    r"% Total +% Received.*",
    r"Dload +Upload.*",
    r"(?:frame|size)= *\d+.*(?:time|bitrate)=.*",
    r"Try .*(?:for more information|--help|-h\b)",
    r"""(?:run|see|use|type) .*(?:--help|-h['"`]?)\b.*""",
    r".*--help\b.*\bfor\b.*",
    r"For (?:more|further|additional|detailed)\b.*",
    r"For help:",
    r"See .*",
    r"#\d+ .*",
    r"thrown in .*",
    r"\[ERROR\](?: (?:->.*|To see the full.*|Re-run Maven.*|For more information.*|After correcting.*|mvn .*))?",
    r"Usage:.*",
    r"usage:.*",
    r"(?:or|Options|Commands|Arguments):.*",
    r"Connection to \S+ closed.*",
    r"Connection closed\.?",
    r"Shared connection to .*closed.*",
    r"Killed by signal.*",
    r"Traceback \(most recent call last\):",
    r'File ".*", line \d+.*',
    r"The above exception was.*",
    r"During handling of.*",
    r"at \S.*[(:]\S*\d*\)?",
    r"\.\.\. \d+ (?:more|common frames.*)",
    r"from \S+:\d+:in .*",
    r"\S+:\d+:in [`'].*[`'] *",
    r"goroutine \d+.*",
    r"(?:main|runtime|\S+/\S+)\.[\w.()*]+\(.*\)",
    r"\S+\.go:\d+ \+0x[0-9a-f]+",
    r"created by .*",
    r"note: run with `?RUST_BACKTRACE.*",
    r"stack backtrace:",
    r"\d+: +(?:0x[0-9a-f]+ - )?[\w<>:{}]+::\S.*",
    r"Node\.js v\d.*",
    r"compilation terminated\.?",
    r"npm (?:ERR!|error)(?:\s.*(?:complete log|_logs|npm-debug\.log).*|\s*)",
    r"Press .*",
    r"Set the system property .*",
    r"info Visit .*",
    r"Bye\.?",
    r"bye\.?",
    r"(?:make|gmake|ninja)(?:\[\d+\])?: (?:Entering|Leaving) directory.*",
    r"Stacktrace:?",
    r"Stack trace:?",
    r"\(?(?:core dumped)\)?",
    r"WARNING: apt does not have a stable CLI.*",
    r"\[notice\].*",
    r"Ask for help or search.*",
    r"<[^>]*>",
    r"\^+[~\s^]*",
    whole=True,
)
#: Words before a colon that add something to an error, or are not an error.
_ADDED = (
    r"CONTEXT|DETAIL|HINT|NOTE|NOTICE|STATEMENT|QUERY|LOCATION|WHERE|Hint|Note|Tip|Info|INFO|DEBUG|TRACE|note|help|hint|info"
    r"|debug|tip|suggestion|warning|Warning|WARNING|WARN|W|N|I|D"
)
#: The first words of advice.
_ADVISED = (
    r"You|Please|please|Did you|Do you|Perhaps|Maybe|Consider|Make sure|Check |Ensure|Hint|If you|[Uu]se |[Rr]un "
    r"|[Tt]ry |To (?:fix|resolve|solve|see|get|use|enable|avoid|continue|retry|run|learn)|Is the server"
    r"|and the repository|We recommend"
    r"|Read |Visit |Learn |More info|Documentation|Specify "
)
CONTEXT = any_of(
    rf"(?:{_ADDED}|LINE \d+|PL/pgSQL function|SQL statement)\b(?:\[\w+\])?:(?!\w)",
    r"(?:INFO|DEBUG|TRACE|WARN|WARNING|NOTICE)\b",
    r"\[(?:INFO|DEBUG|TRACE|WARN|WARNING|NOTICE|info|debug|warn|warning)\]",
    rf"(?:{_ADVISED})",
    r"the `?\w+`? command can",
    r"storage ID ",
    r"lock was created ",
    r"npm (?:ERR!|error) (?:code|syscall|path|errno|command|cwd|signal|node|npm|argv|enoent This|enoent\s*\Z)\b",
    r"[*•-] ",
    r"\d+\. ",
    r"https?://\S+\s*\Z",
    r"[$>] ",
    r"In file included",
    r"\S+: In (?:function|member|constructor|file)",
    r"\S+:\d+(?::\d+)?: (?:note|warning):",
    r"warning:",
    r"remote:\s*(?:\Z|=+)",
    r"debug1:",
    r"[\w.]+ - (?:INFO|DEBUG|WARNING) - ",
    r"\[y/N\]",
)
#: A line without any of these words is not advice.
ADVISING = ("can be", "please", "did you", "you ", "users ", "to fix", "to resolve", "try ", "see ")
ADVICE = late(
    r"\bcan be used (?:to|for)\b|\bplease (?:try|check|run|use|see|read|contact|report|make)\b|\bdid you mean\b"
    r"|(?<!\()\b(?:you|users?) (?:can|may|might|should|need to|must)\b|\bto (?:fix|resolve) (?:this|it|the)\b"
    r"|\btry (?:again|running|using|to|with)\b|\bsee (?:https?://|the docs|the manual|'?man )"
)
SUMMARY = any_of(
    r"(?:/\S+/)?ld(?:\.\w+)?: .*: in function .*",
    r"(?:\w*make|gmake)(?:\[\d+\])?: \*\*\*.*",
    r"rsync error:.*\(code \d+\) at .*",
    r"exit status \d+\.?",
    r"(?:(?:Process|[Cc]ommand|[Ss]cript|Job) )?(?:exited|failed) with (?:a |error )?(?:non-?zero|exit|code|status).*",
    r"BEGIN failed--.*",
    r"E: Unable to fetch some archives.*",
    r"[\w.-]+: no images (?:defined|found) .*",
    r"[\w.-]+: could not send mail.*",
    r"error: (?:could not compile|aborting due to|build failed|failed to push some|subprocess-exited-with-error).*",
    r"[\w.-]+: (?:Exiting with failure status|Error is not recoverable|Child returned).*",
    r"Command exited with non-zero.*",
    r"command terminated with exit code.*",
    r"ninja: build stopped.*",
    r"fatal: Could not read from remote.*",
    r"lost connection",
    r"scp: Connection closed.*",
    r"collect\d: error:.*",
    r"E: Sub-process .*",
    r"(?:Terminated|Aborted|Killed|Segmentation fault|Abort|Hangup|Broken pipe)(?: \(core dumped\))?\.?",
    r"Giving up\.?",
    r"Quitting\.?",
    r"Exiting\.*",
    r"Aborting\.*",
    r"abort(?:ed|ing)?[.!]*",
    r"FAILURE: Build failed.*",
    r"BUILD FAILED.*",
    r"Build failed.*",
    r"Conversion failed!",
    r"(?:[\w.-]+: )?operation succeeded with warnings.*",
    r"(?:ERROR: )?Job failed.*",
    r"\d+ (?:errors?|warnings?|problems?|failures?|failed|failing)\b.*",
    r"(?:Found|Total|Finished with) \d+ (?:errors?|warnings?|problems?).*",
    r"npm (?:ERR!|error) (?:Exit status|errno|This is probably not).*",
    r"npm (?:ERR!|error) (?:Failed at).*",
    r"error: (?:legacy-install-failure|metadata-generation-failed|failed-wheel-build.*)",
    r"╰─>.*",
    r"ERROR: Command errored out.*",
    r"error Command failed with exit code.*",
    r"An? (?:unexpected )?error (?:has )?occurred[:.!]*",
    r"(?:Errors?|Failed|FAILED|Failure|failed|ERROR|FATAL|Fatal|error)[:.!]*",
    r"Error while loading conda.*",
    r"error: called from",
    r"Error in .* \(line \d+\)",
    r"Error during processing\.",
    r"srun: error: .*: Exited with.*",
    r"-- Configuring incomplete.*",
    whole=True,
)
_EXCEPTION = (
    r"(?:[A-Za-z_][\w$]*(?:\.|::))*[A-Z][\w$]*"
    r"(?:Error|Exception|Exit|Interrupt|Timeout|Failure|Refused|NotFound|Denied|Expired|Fault|Panic)s?"
)
_WORSE = r"(?:fatal|internal compiler|catastrophic|syntax|runtime|unrecoverable)"
_LOUD = r"(?:ERROR|FATAL|Error|Fatal|error|fatal|PANIC)"
ERROR = any_of(
    r"[\w.]+ - (?:ERROR|CRITICAL|FATAL) - ",
    r"PHP (?:Fatal|Parse|Recoverable fatal) error:",
    r"! (?:\[|[A-Z])",
    r"\[?(?:ERROR|FATAL|CRITICAL|ALERT|EMERG|PANIC|SEVERE|FAILED|FEHLER)\b",
    r"E: ",
    r"\[?(?:[Ee]rror|[Ff]atal|[Cc]ritical|panic|[Ff]ailed|[Ff]ailure|crit|ERR|FAIL)\b(?:\[[^]]*\])?\]?(?::| [-\[(])",
    rf"(?:Uncaught |Unhandled |Caused by: |Exception in thread \S+ )?{_EXCEPTION}\b(?: \[\w+\])?(?::|\s*\Z| -|\()",
    r"(?:Caused by|Exception in thread|Un(?:handled|caught) exception|terminate called)\b",
    r"thread '.*' (?:\(\d+\) )?panicked\b",
    r"[Ee]rror (?:\d|from server|response from daemon|code\b|opening|reading|writing|loading|while|in\b)",
    r"An error occurred \(\w+\)",
    rf"[^\s:]+(?:: ?|:\d+:(?:\d+:)? |\[\d+\]: |:.{{0,80}}?: )(?:[\w.]+: )?(?:{_WORSE} )?{_LOUD}\b(?::| [CEA-Z]*\d)",
    r"fatal: ",
    r"npm (?:ERR!|error) ",
    r"remote: (?:error|fatal|ERROR|FATAL|Permission|Repository)",
    r"curl: \(\d+\)",
    r"urn:\S+:error:",
    r"[45]\d\d[ -][45]\.\d+\.\d+",
    r"(?:.* )?(?:level=(?:error|fatal|critical|panic)|severity=(?:ERROR|FATAL|CRITICAL))\b",
)
#: A program that names itself and says what it could not do.
COMPLAINT = late(
    r"[\w./+-]+(?:\[\d+\])?:\s.*\b(?:cannot|can't|could not|couldn't|can not|fail(?:ed|ure|s)?|error|not|no|denied"
    r"|refused|unable|invalid|missing|timed? ?out|unexpected|unknown|exceed(?:ed|s)?|too|out of|bad|abort(?:ed)?"
    r"|unsupported|unrecognized|unreachable|illegal|corrupt(?:ed)?|expired|forbidden|unauthorized|reset|closed|lost"
    r"|already|full|required|must|is a directory|broken)\b",
    re.IGNORECASE,
)
