package mask

import (
	"slices"
	"strings"
	"unicode"
)

// harmless lists MediaWiki settings whose names mention passwords or tokens but that hold
// none (Manual:Configuration settings). Their members are still checked.
var harmless = map[string]bool{
	"wgPasswordPolicy": true, "wgPasswordConfig": true, "wgPasswordDefault": true, "wgPasswordSender": true,
	"wgPasswordSenderName": true, "wgPasswordAttemptThrottle": true, "wgPasswordReminderResendTime": true,
	"wgPasswordResetRoutes": true, "wgPasswordExpireGrace": true, "wgPasswordExpirationDays": true,
	"wgMinimalPasswordLength": true, "wgMaximalPasswordLength": true, "wgInvalidPasswordReset": true,
	"wgUserEmailConfirmationTokenExpiry": true, "wgAuthenticationTokenVersion": true,
	"wgAuthManagerConfig": true, "wgAuthManagerAutoConfig": true,
}

// words mark a secret anywhere in a name, in lower case; parts also within a word, such
// as "dbpassword"; ends only at its end, such as "smtppass" and "authtoken".
var (
	words = []string{"pass", "pw", "pwd", "pwds", "token", "tokens", "bearer", "creds", "cred", "dsn", "salt", "otp", "hmac"}
	parts = []string{"password", "passwd", "passphrase", "passwort", "secret", "credential"}
	ends  = []string{"pass", "pwd", "token", "apikey", "authkey", "secretkey", "privatekey", "sessionkey", "masterkey", "licensekey", "signingkey", "encryptionkey", "consumerkey", "passkey"}
	// noPass are words with one of ends that are harmless.
	noPass = []string{"bypass", "compass", "surpass", "trespass", "overpass", "underpass", "encompass"}
	// tokenOf follow "token" in names of properties of a token.
	tokenOf = []string{"expiry", "lifetime", "ttl", "version", "length", "expiration", "url", "uri", "endpoint", "type", "limit"}
	// stems are in all names of secrets: each of the above has one.
	stems = []string{"pass", "pw", "token", "bearer", "cred", "dsn", "salt", "otp", "hmac", "secret", "auth", "key"}
	// strongKeys precede the word "key" in names of secrets, whatever follows.
	strongKeys = []string{"api", "private", "encryption", "master", "signing", "upgrade"}
	// openKeys precede the word "key" in names of public values.
	openKeys = []string{"public", "site", "cache", "sort", "message", "msg", "primary", "foreign", "index", "hot", "tag", "option", "label", "i18n", "array", "map", "group", "by"}
)

// Name reports whether a setting, or a member of one, with that name holds a secret, as
// "wgMyPass", "api_key" and "dbPassword" do.
func Name(name string) bool {
	if harmless[name] || !contains(strings.ToLower(name), stems) {
		return false
	}
	all := split(name)
	for i, word := range all {
		last := i == len(all)-1
		switch {
		case strings.HasPrefix(word, "token") && !last && slices.Contains(tokenOf, all[i+1]):
		case slices.Contains(words, word), contains(word, parts):
			return true
		case slices.Contains(noPass, word):
		case slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(word, end) }):
			return true
		case last && (word == "auth" || word == "authorization"):
			return true
		case word != "key" && word != "keys":
		case i > 0 && slices.Contains(strongKeys, all[i-1]), last && (i == 0 || !slices.Contains(openKeys, all[i-1])):
			return true
		}
	}
	return false
}

func contains(word string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(word, part) })
}

// split splits a name into words in lower case: at other characters than letters, and
// where capitals begin or end, so that "wgAPIKey2" becomes wg, api and key.
func split(name string) []string {
	var all []string
	runes := []rune(name)
	from := 0
	cut := func(to int) {
		if to > from {
			all = append(all, strings.ToLower(string(runes[from:to])))
		}
		from = to
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			cut(i)
			from = i + 1
		case i == 0 || !unicode.IsUpper(r):
		case unicode.IsLower(runes[i-1]), i+1 < len(runes) && unicode.IsLower(runes[i+1]):
			cut(i)
		}
	}
	cut(len(runes))
	return all
}
