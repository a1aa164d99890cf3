package wiki

import (
	"strings"
	"testing"
)

func TestTextOf(t *testing.T) {
	page := func(menu, content, end string) string {
		return `<html><head><title>Caf&eacute; – Wiki</title></head><body>` + menu + `<div id="mw-content-text" class="x"><p>` + content + `</p></div><div ` + end + `>Retrieved from</div>` + menu
	}
	for _, tc := range []struct {
		name, body string
		want       Text
	}{
		{"menus do not count", page(strings.Repeat("<li>menu</li>", 9), "some <b>text</b>", `class="printfooter"`), Text{"Café – Wiki", 9}},
		{"another end", page("<nav>menu</nav>", "some   text", `id="catlinks"`), Text{"Café – Wiki", 9}},
		{"characters, not bytes", page("", "äöü", `id="catlinks"`), Text{"Café – Wiki", 3}},
		{"no page of MediaWiki", "<title>Error</title><p>Fatal", Text{"Error", 5}},
		{"nothing", "", Text{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := textOf([]byte(tc.body)); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}
