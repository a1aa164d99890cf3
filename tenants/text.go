package tenants

import (
	"fmt"
	"strings"
)

// OneLine joins the lines of a text, such as a program's output, for an error.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Beginning returns the first bytes of an answer, for an error.
func Beginning(answer []byte) string {
	return strings.ToValidUTF8(string(answer[:min(len(answer), 200)]), "?")
}

// Grouped formats a number with separated thousands.
func Grouped[N int | int64](n N) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
