package needs

import "strings"

// Hostile returns texts that break out of quotes, comments or lines, or expand to something
// else, in files of PHP, nginx, Apache or php-fpm, unless each is escaped.
func Hostile() []string {
	return []string{
		"", "plain", "it's", `back\slash`, `end\`, `\'`, `"double"`, "?>", "<?php echo 1;", "$wgDBpassword", "{$x}", "${x}", "`id`",
		"a\nb", "a\r\nb", "\t", "\x00", "*/", "/*", "//", "#", "😀", "é", "\u202e", "\xff\xfe", "\u2028", "\x7f",
		"' . phpinfo() . '", `\x41`, `\u{41}`, "\\$", "\\\\\n", strings.Repeat("\\'\n$", 1000), strings.Repeat("x", 1<<20), strings.Repeat("\x00", 1<<18),
	}
}
