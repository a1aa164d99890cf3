package rules

import (
	"maps"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/mask"
)

// accessRules find rights in the wrong hands.
var accessRules = []rule{
	{Rule: audit.Rule{
		ID: "rights-everyone", Severity: audit.Error,
		What:      "Visitors or new users have a right that takes over a wiki.",
		Why:       "Whoever makes an account can change the interface, the scripts or the rights of others.",
		Repair:    "Give the right to sysop, interface-admin or a group of your own.",
		Reference: "Manual:User rights, Manual:$wgGroupPermissions",
	}, names: []string{"wgGroupPermissions"}, setting: rightsOfEveryone},
	{Rule: audit.Rule{
		ID: "rights-grantable", Severity: audit.Error,
		What:      "Visitors or new users may put people into powerful groups.",
		Why:       "They can then give themselves every right.",
		Repair:    "Leave that to bureaucrats.",
		Reference: "Manual:$wgAddGroups, Manual:$wgGroupsAddToSelf",
	}, names: []string{"wgAddGroups", "wgGroupsAddToSelf"}, setting: grantable},
	groupMerged,
	listShortened,
	{Rule: audit.Rule{
		ID: "private-images", Severity: audit.Error,
		What:      "Nobody may read the wiki without a log-in, but its images are served to anybody.",
		Why:       "Files of a private wiki leak to whoever guesses their names.",
		Repair:    "Let wikictl decide where images are served.",
		Reference: "Manual:Image authorization",
	}, tenant: privateImages},
	{Rule: audit.Rule{
		ID: "private-unclear", Severity: audit.Note,
		What:      "Only PHP knows whether the wiki may be read without a log-in.",
		Why:       "It is served as a private one, its images by img_auth.php; whether its pages can be read is not known here.",
		Repair:    `Set wgGroupPermissions."*".read to true or false, or look what the expression gives to a stranger.`,
		Reference: "Manual:Preventing access",
	}, tenant: privateUnclear},
	{Rule: audit.Rule{
		ID: "private-css", Severity: audit.Warning,
		What:      "Site scripts or styles apply to the pages for logging in and for preferences.",
		Why:       "Whoever may edit those pages can read passwords as they are typed.",
		Repair:    "Set it to false.",
		Reference: "Manual:$wgAllowSiteCSSOnRestrictedPages",
	}, names: []string{"wgAllowSiteCSSOnRestrictedPages"}, setting: on("lets site pages change how the log-in looks")},
	{Rule: audit.Rule{
		ID: "password-policy", Severity: audit.Warning,
		What:      "Passwords may be shorter than eight characters.",
		Why:       "Short passwords are guessed.",
		Repair:    "Set MinimalPasswordLength to 8 or more, or take it away: the default is 8 or more.",
		Reference: "Manual:$wgPasswordPolicy",
	}, names: []string{"wgPasswordPolicy"}, setting: shortPasswords},
	{Rule: audit.Rule{
		ID: "password-hash", Severity: audit.Error,
		What:      "New passwords are stored with a hash that is quickly tried out.",
		Why:       "Whoever gets a copy of the database gets the passwords.",
		Repair:    "Take the setting away, or use argon2 or pbkdf2.",
		Reference: "Manual:$wgPasswordDefault",
	}, names: []string{"wgPasswordDefault"}, setting: weakHash},
	{Rule: audit.Rule{
		ID: "secret-in-definitions", Severity: audit.Warning,
		What:      "A password or key stands in the definitions.",
		Why:       "They are in version control, and read by more people than the secret is meant for.",
		Repair:    `Read it from a file that only the web server's group can read: { php = "trim( file_get_contents( '/etc/…' ) )" }.`,
		Reference: "Manual:Securing database passwords",
	}, setting: secretInDefinitions},
}

// anyone are the groups that people are in without anybody's doing.
var anyone = []string{"*", "user", "autoconfirmed", "emailconfirmed", "temp", "named"}

// powers are rights that MediaWiki gives to administrators only (Manual:User
// rights), with which one can take over accounts or hide what was done.
var powers = []string{
	"editinterface", "editsitecss", "editsitejs", "editsitejson", "editusercss", "edituserjs", "edituserjson",
	"userrights", "userrights-interwiki", "siteadmin", "block", "blockemail", "delete", "bigdelete", "deletedhistory", "deletedtext",
	"undelete", "protect", "editprotected", "import", "importupload", "hideuser", "suppressrevision", "viewsuppressed",
	"suppressionlog", "deleterevision", "deletelogentry", "mergehistory", "renameuser", "replacetext", "nuke", "usermerge",
	"unblockself", "checkuser", "checkuser-log", "oathauth-disable-for-user", "interwiki", "managechangetags",
}

// strong are groups whose members have such rights.
var strong = []string{"sysop", "bureaucrat", "interface-admin", "suppress", "steward", "checkuser", "oversight"}

func rightsOfEveryone(_ *subject, name string, v tenants.Value, r *reporter) {
	for _, group := range anyone {
		rights, _ := member(v, group)
		for _, right := range powers {
			if given, there := member(rights, right); there && truthy(given) {
				r.say(given.Position, name+"."+group+"."+right, "give it to sysop or a group of your own", "%s has the right %s", inGroup(group), right)
			}
		}
	}
}

func inGroup(group string) string {
	switch group {
	case "*":
		return "every visitor"
	case "user", "named":
		return "everybody with an account"
	}
	return "everybody in " + group
}

func grantable(_ *subject, name string, v tenants.Value, r *reporter) {
	for _, group := range anyone {
		may, there := member(v, group)
		if !there {
			continue
		}
		if may.Data == true {
			r.say(may.Position, name+"."+group, "leave that to bureaucrats", "%s may give every group", inGroup(group))
		}
		for _, to := range elements(may) {
			if text, _ := to.Data.(string); slices.Contains(strong, text) {
				r.say(to.Position, name+"."+group, "leave that to bureaucrats", "%s may give the group %s", inGroup(group), text)
			}
		}
	}
}

// privateImages looks for addresses of images that go around img_auth.php.
func privateImages(s *subject, r *reporter) {
	t := s.tenant
	if !t.Private() {
		return
	}
	repo := t.Settings["wgLocalFileRepo"]
	for _, key := range []string{"url", "thumbUrl"} {
		if url, ok := member(repo, key); ok {
			if text, _ := url.Data.(string); !throughAuth(text) {
				r.say(url.Position, "wgLocalFileRepo."+key, "use /img_auth.php", "images of a private wiki are served without asking who reads them")
			}
		}
	}
}

// privateUnclear notes a right to read that no definition decides.
func privateUnclear(s *subject, r *reporter) {
	if v, right := s.tenant.ReadRight(); right == tenants.ReadUnclear {
		r.say(v.Position, "", "true or false", "%s decides whether visitors may read; the wiki counts as private", kind(v))
	}
}

func shortPasswords(_ *subject, name string, v tenants.Value, r *reporter) {
	policies, _ := member(v, "policies")
	table, _ := policies.Data.(map[string]tenants.Value)
	for _, group := range slices.Sorted(maps.Keys(table)) {
		least, there := member(table[group], "MinimalPasswordLength")
		if inner, nested := member(least, "value"); nested {
			least = inner
		}
		if n, ok := least.Data.(int64); there && ok && n < 8 {
			r.say(least.Position, name+".policies."+group+".MinimalPasswordLength", "8 or more", "passwords of %s may have %d characters", group, n)
		}
	}
}

func weakHash(_ *subject, name string, v tenants.Value, r *reporter) {
	if v.Data == "A" || v.Data == "B" {
		r.say(v.Position, name, "take it away", "passwords are stored as %s, which is MD5", v.Data)
	}
}

func secretInDefinitions(_ *subject, name string, v tenants.Value, r *reporter) {
	secretsIn(name, v, mask.Name(name), r)
}

// secretsIn reports strings below the name of a secret, at any depth.
func secretsIn(path string, v tenants.Value, below bool, r *reporter) {
	switch data := v.Data.(type) {
	case string:
		if below && mask.Telling(data) {
			r.say(v.Position, path, "read it from a file that is not in version control", "a secret stands in the definitions")
		}
	case []tenants.Value:
		for _, element := range data {
			secretsIn(path, element, below, r)
		}
	case map[string]tenants.Value:
		for key, member := range data {
			secretsIn(path+"."+key, member, below || mask.Name(key), r)
		}
	}
}
