package definitions

import (
	"strings"
	"testing"

	"wikictl/tenants/mediawiki"
)

func TestUserNames(t *testing.T) {
	for _, name := range []string{"Admin", "Bob x", "Ünïcode", "管理员", "1st admin", "O'Neil (ops)", "A.B-C", "नमस्ते", "Ёлка", "İstanbul"} {
		if why, _ := mediawiki.UserNameProblem(name); why != "" {
			t.Errorf("%q: %s", name, why)
		}
	}
	cases := []struct{ name, why, hint string }{
		{"Bob_x", `MediaWiki would call the user "Bob x"`, `"Bob_x" could not log in`},
		{"Bob ", `MediaWiki would call the user "Bob"`, ""},
		{" Bob", `"Bob"`, ""},
		{"Bob  x", `"Bob x"`, ""},
		{"Bob\u00a0x", `"Bob x"`, ""},
		{"bob", `"Bob"`, ""},
		{"über", `"Über"`, ""},
		{"Cafe\u0301", `"Café"`, ""},
		{"ßeta", "not a user name", ""},
		{"", "not a user name", ""},
		{"...", "not a user name", ""},
		{"127.0.0.1", "IP address", ""},
		{"1.2.3.xxx", "IP address", ""},
		{"1.2.3.4-5.6.7.8", "IP address", ""},
		{"Maintenance script", "reserves", ""},
		{"maintenance_script", "reserves", ""},
		{"Unknown user", "reserves", ""},
		{"MediaWiki default", "reserves", ""},
		{"Redirect fixer", "reserves", ""},
		{strings.Repeat("A", 236), "236 bytes", ""},
	}
	for _, c := range "#<>[]|{}/@:=&%\"~\u200e\u2028\ue000" {
		cases = append(cases, struct{ name, why, hint string }{"Bob" + string(c) + "x", `user`, ""})
	}
	for _, tc := range cases {
		why, hint := mediawiki.UserNameProblem(tc.name)
		if !strings.Contains(why, tc.why) || why == "" || !strings.Contains(hint, tc.hint) {
			t.Errorf("%q: it says %q (%q), want %q (%q)", tc.name, why, hint, tc.why, tc.hint)
		}
	}
}

// Names that only this wiki reserves are refused, too, each at its place.
func TestReservedNames(t *testing.T) {
	for rest, want := range map[string]string{
		"language = \"de\"\nadmin = \"RedirectBot\"\n":                       "tenants/x.toml:5:1: admin: \"RedirectBot\" is a name that this wiki reserves",
		"admin = \"Robot\"\n[settings]\nwgReservedUsernames = [\"Robot\"]\n": "tenants/x.toml:4:1: admin: \"Robot\" is a name that this wiki reserves",
		"admin = \"Bob_x\"\n": "tenants/x.toml:4:1: admin: MediaWiki would call the user \"Bob x\" (",
		"admin = \"RedirectBot\"\n[settings]\nwgReservedUsernames = { php = \"[]\" }\n#": "",
	} {
		files := good()
		files["wikictl.toml"] = "allow_php = true\n" + files["wikictl.toml"]
		for name, text := range tenant(rest) {
			files[name] = text
		}
		_, err := Load(writeFarm(t, files))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: it says %v, want %s", rest, err, want)
		}
	}
}
