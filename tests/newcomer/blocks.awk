# The blocks of Markdown files, in order, as files: NN.console and NN.exit for what is typed, NN.file and NN.path for what
# is written, and NN.from for the document. A comment in front of a block says which: `<!-- file: PATH -->`,
# `<!-- exit: CODE -->`.
function name(end) { return sprintf("%s/%02d.%s", out, count, end) }
/^<!-- file: .* -->$/ { path = $3; next }
/^<!-- exit: .* -->$/ { code = $3; next }
/^```/ && inside { inside = 0; path = ""; code = 0; next }
/^```/ {
    inside = 1
    kind = substr($0, 4)
    if (path != "") { count++; target = name("file"); print path > name("path"); printf "" > target }
    else if (kind == "console") { count++; target = name("console"); print code + 0 > name("exit") }
    else target = ""
    if (target != "") print FILENAME > name("from")
    next
}
inside && target != "" && path == "" && /^\$ / { print substr($0, 3) > target; next }
inside && target != "" && path != "" { print > target }
