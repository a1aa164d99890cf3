package rules

import (
	"fmt"
	"strings"
	"testing"
)

// No finding shows a secret, whichever rule quotes the value.
func TestFindingsShowNoSecret(t *testing.T) {
	files := map[string]string{
		"wikictl.toml":   farmToml + "[[policy]]\nname = \"pin\"\nsetting = \"wgMyPwd\"\nmust = 4711\nreason = \"r\"\nseverity = \"error\"\n",
		"classes/c.toml": "[settings]\nwgCapitalLinks = false\n",
		"tenants/a.toml": tenantToml("a", "a.wiki.example", "\nclasses = [\"c\"]", `wgMyPwd = 471147
wgReCaptchaPrivateKey = "hunter2"
wgArticleCountMethod = "hunter-two"
wgMyPass = ["one-pass", ["two-pass"]]
wgDefaultUserOptions = { list = [{ token = "hunter-two" }] }
wgGroupPermissions.secret.edit = "hunter3"`),
	}
	r := static(t, load(t, files))
	text := ""
	for _, f := range r.Findings {
		text += fmt.Sprintf("%s %s %s %s\n", f.Rule, f.Key, f.Message, f.Hint)
	}
	for _, hidden := range []string{"hunter2", "hunter-two", "hunter3", "471147", "4711", "-pass"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%s shows in\n%s", hidden, text)
		}
	}
	for _, found := range []string{
		`setting-value wgArticleCountMethod is the string "[secret]"`, `setting-type wgGroupPermissions.secret.edit is the string [secret]`,
		"secret-in-definitions wgMyPass a secret", "secret-in-definitions wgDefaultUserOptions.list.token a secret", "policy/pin wgMyPwd is the integer [secret], must be the integer [secret]",
	} {
		if !strings.Contains(text, found) {
			t.Errorf("%q is missing in\n%s", found, text)
		}
	}
}
