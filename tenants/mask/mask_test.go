package mask

import (
	"encoding/base64"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

func TestName(t *testing.T) {
	for _, name := range []string{
		"wgDBpassword", "wgMyPass", "wgPwd", "wgCredentials", "wgSecretKey", "wgUpgradeKey", "password", "passwd", "PASSWORD", "smtp_pass", "dbPass",
		"api_key", "apikey", "apiKey", "wgGoogleMapsAPIKey", "privatekey", "private-key", "wgReCaptchaPrivateKey", "aws_secret_access_key", "accessKey",
		"key", "token", "authToken", "access_token", "wgTokenList", "oauth_consumer_secret", "auth", "smtp_auth", "Authorization", "wgRedisAuth", "dsn",
		"passphrase", "password2", "passwordHash", "wgHTTPProxyPassword", "clientsecret", "wgPasswordSecret", "salt", "api_key_id", "keys", "Passwort",
	} {
		if !Name(name) {
			t.Errorf("%q is not taken for a secret's", name)
		}
	}
	for _, name := range []string{
		"wgSitename", "wgPasswordPolicy", "wgPasswordSender", "wgAuthenticationTokenVersion", "wgUserEmailConfirmationTokenExpiry", "wgBypassCache",
		"compass", "wgReCaptchaSiteKey", "publicKey", "wgCacheKey", "keyword", "wgKeyboard", "monkey", "turkey", "accesskey", "author", "wgAuthors",
		"tokenUrl", "token_ttl", "sort-key", "wgMWOAuthCentralWiki", "wgGroupPermissions", "editmyprivateinfo", "wgPathInfo",
	} {
		if Name(name) {
			t.Errorf("%q is taken for a secret's", name)
		}
	}
}

const secret = `Zs3cr3t'"\$&<end`

// A known secret is found in whatever form it comes.
func TestTextHidesKnownSecrets(t *testing.T) {
	m := New(secret, "", "abc")
	for name, text := range map[string]string{
		"as it is": "x " + secret + " y", "JSON": `"Zs3cr3t'\"\\$\u0026\u003cend"`, "address": "?p=Zs3cr3t%27%22%5C%24%26%3Cend",
		"HTML": "Zs3cr3t&#39;&#34;\\$&amp;&lt;end", "hexadecimal": "5a73336372337427225c24263c656e64",
	} {
		if got := m.Text(text); !strings.Contains(got, shown) || strings.Contains(got, "end") && name != "as it is" && strings.Contains(got, "3cr3t") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for before := range 7 {
		coded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", before) + secret + ":tail"))
		if got := m.Text(coded); !strings.Contains(got, shown) {
			t.Errorf("base64 after %d bytes: %q", before, got)
		}
	}
	if got := m.Text("abc is a word"); got != "abc is a word" {
		t.Errorf("a short secret hides %q", got)
	}
}

func TestTextHidesAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"redis://:hush@db:6379/0":                                              "redis://:[secret]@db:6379/0",
		"mysql://wiki:p@ss@db/x":                                               "mysql://wiki:[secret]@db/x",
		"root:hush@tcp(db:3306)/":                                              "root:[secret]@tcp(db:3306)/",
		"host=db password=hush user=x":                                         "host=db password=[secret] user=x",
		"https://x.example/?access_token=abc":                                  "https://x.example/?access_token=[secret]",
		"Authorization: Bearer abcdefgh.ijk":                                   "Authorization: Bearer [secret]",
		"https://x.example:8080/a@b":                                           "https://x.example:8080/a@b",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----": "-----BEGIN RSA PRIVATE KEY-----[secret]-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\nMIIE":                                    "-----BEGIN PRIVATE KEY-----[secret]",
		"-----BEGIN CERTIFICATE-----\nMIIE":                                    "-----BEGIN CERTIFICATE-----\nMIIE",
		"ghp_0123456789abcdefghij and sk_live_0123456789":                      "[secret] and [secret]",
		"mail wiki@example.org":                                                "mail wiki@example.org",
	} {
		if got := (&Masker{}).Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestPHP(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"assignment", `$wgPwd = 'hush';`, `$wgPwd = '[secret]';`},
		{"member", `$wgSMTP['password'] = 'hush';`, `$wgSMTP['password'] = '[secret]';`},
		{"deep", "$wgX['a']['credentials'] = [\n\t'user' => 'me',\n\t[ 'x', 12345 ],\n];", "$wgX['a']['credentials'] = [\n\t'user' => '[secret]',\n\t[ '[secret]', '[secret]' ],\n];"},
		{"list", `$wgMyPass = [ 'one', "two" ];`, `$wgMyPass = [ '[secret]', "[secret]" ];`},
		{"tables of a list", `$wgServers = [ [ 'host' => 'db1', 'pass' => 'hush', 'port' => 3306 ], [ 'host' => 'db2', 'pass' => 'hash' ] ];`,
			`$wgServers = [ [ 'host' => 'db1', 'pass' => '[secret]', 'port' => 3306 ], [ 'host' => 'db2', 'pass' => '[secret]' ] ];`},
		{"switches stay", `$wgMyPass = [ true, null, 8, '', '12' ];`, `$wgMyPass = [ true, null, 8, '', '12' ];`},
		{"beside", `$wgPasswordPolicy['policies']['default']['MinimalPasswordLength'] = 10; $wgSitename = 'Wiki';`, `$wgPasswordPolicy['policies']['default']['MinimalPasswordLength'] = 10; $wgSitename = 'Wiki';`},
		{"after", `$wgPwd = 'hush'; $wgSitename = 'Wiki';`, `$wgPwd = '[secret]'; $wgSitename = 'Wiki';`},
		{"elsewhere too", `$wgPwd = 'hush-hush'; $wgFoo = 'it is hush-hush!'; # hush-hush`, `$wgPwd = '[secret]'; $wgFoo = 'it is [secret]!'; # [secret]`},
		{"expression", `$wgPwd = trim( 'hush' ) . "x$y";`, `$wgPwd = trim( '[secret]' ) . "[secret]";`},
		{"call", `define( 'DB_PASSWORD', 'hush' ); define( 'A', 'b' );`, `define( 'DB_PASSWORD', '[secret]' ); define( 'A', 'b' );`},
		{"argument by name", `connect( host: 'db', password: 'hush' );`, `connect( host: 'db', password: '[secret]' );`},
		{"property", `$conf->password = 'hush';`, `$conf->password = '[secret]';`},
		{"joined", `$wgPwd .= 'hush'; $wgPwd ??= 'hush';`, `$wgPwd .= '[secret]'; $wgPwd ??= '[secret]';`},
		{"constant as a key", `$x = [ self::PASSWORD => 'hush' ];`, `$x = [ self::PASSWORD => '[secret]' ];`},
		{"old array", `$x = array( 'api_key' => 'hush', 'b' => 'c' );`, `$x = array( 'api_key' => '[secret]', 'b' => 'c' );`},
		{"heredoc", "$wgPwd = <<<X\nhush\nX;\n$a = 'b';", "$wgPwd = '[secret]';\n$a = 'b';"},
		{"comment", "# $wgDBpassword = 'hush';\n// 'token' => hush\n$a = 1;", "# $wgDBpassword = '[secret]'\n// 'token' => '[secret]'\n$a = 1;"},
		{"plain comment", "## Database: an account\n$a = 'b'; # so", "## Database: an account\n$a = 'b'; # so"},
		{"name and value", `$x = [ [ 'name' => 'api_token', 'value' => 'hush' ], [ 'name' => 'colour', 'value' => 'red' ] ];`,
			`$x = [ [ 'name' => 'api_token', 'value' => '[secret]' ], [ 'name' => 'colour', 'value' => 'red' ] ];`},
		{"open quote", `$wgPwd = 'hush`, `$wgPwd = '[secret]'`},
		{"address", `$wgFoo = 'redis://:hush@db';`, `$wgFoo = 'redis://:[secret]@db';`},
	}
	for _, tc := range cases {
		if got := (&Masker{}).PHP(tc.text); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
	for _, literal := range []string{`'Zs3cr3t\'"\\$&<end'`, `"Zs3cr3t'\"\\\$&<end"`, `"\x5as3cr3t'\"\\\u{24}&<end"`} {
		if got := New(secret).PHP("$wgFoo = " + literal + ";"); strings.Contains(got, "3cr3t") || !strings.Contains(got, shown) {
			t.Errorf("%s becomes %s", literal, got)
		}
	}
}

func TestValues(t *testing.T) {
	text := func(s string) tenants.Value { return tenants.Value{Data: s} }
	settings := map[string]tenants.Value{
		"wgMyPass":   {Data: []tenants.Value{text("one-pass"), text("1")}},
		"wgSitename": text("Wiki"),
		"wgSMTP": {Data: map[string]tenants.Value{
			"host": text("mail"), "auth": {Data: true}, "password": {Data: tenants.PHP("trim( 'hush' )")},
			"list": {Data: []tenants.Value{{Data: map[string]tenants.Value{"token": text("tok"), "name": text("n")}}}},
		}},
	}
	if got := strings.Join(Values(settings), " "); got != "hush one-pass tok" {
		t.Errorf("found %q", got)
	}
}

// Whatever is masked, the text is not cut, and a known secret does not stay.
func FuzzPHP(f *testing.F) {
	f.Add(`$wgPwd = [ 'a' => "b\x41", <<<X` + "\n" + `Zs3cr3tXX`)
	f.Add("# $x['token'] => 'b' /* */ \xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := New("Zs3cr3tXX").PHP(text)
		if strings.Contains(got, "Zs3cr3tXX") {
			t.Fatalf("%q stays in %q", text, got)
		}
	})
}

// The pieces that a text is taken into are PHP's own.
func TestTokensArePHPs(t *testing.T) {
	php := needs.Program(t, "php")
	text := `$a = 'x\'y\\'; $b = "q\"$w{$e['r']}\x41"; # c 'd'` + "\n" + `$f = [ 'g' => 1.5, /* 'h' */ "i" => <<<J` + "\n'k'\nJ\n];"
	code := `foreach ( token_get_all( '<?php ' . $argv[1] ) as $t ) { if ( is_array( $t ) && $t[0] === T_CONSTANT_ENCAPSED_STRING ) { echo $t[1], "\n"; } }`
	out, err := exec.Command(php, "-r", code, text).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, literal := range strings.Fields(string(out)) {
		found := false
		for _, l := range scan(text).spans {
			found = found || text[l.from:l.to] == literal
		}
		if !found && !strings.Contains("'r' 'g'", literal) {
			t.Errorf("%s is no literal", literal)
		}
	}
}

// Every word that marks a secret has a stem: names without one are not divided into words.
func TestStems(t *testing.T) {
	for _, word := range slices.Concat(words, parts, ends, []string{"key", "keys", "auth", "authorization"}) {
		if !contains(word, stems) {
			t.Errorf("%q has none of %q", word, stems)
		}
	}
}
