package rules

import (
	"maps"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/mask"
)

// accessRules find rights that are given too widely.
var accessRules = []rule{
	{Rule: audit.Rule{
		ID: "rights-everyone", Severity: audit.Error,
		What:      "Visitors or new users have a right with which they can take over the wiki.",
		Why:       "Anyone who creates an account can change the interface, the scripts or the rights of others.",
		Repair:    "Give the right to sysop, interface-admin or a group of your own.",
		Reference: "Manual:User rights, Manual:$wgGroupPermissions",
	}, names: []string{"wgGroupPermissions"}, setting: rightsOfEveryone},
	{Rule: audit.Rule{
		ID: "rights-grantable", Severity: audit.Error,
		What:      "Visitors or new users may add users to powerful groups.",
		Why:       "They can then give themselves every right.",
		Repair:    "Leave that to bureaucrats.",
		Reference: "Manual:$wgAddGroups, Manual:$wgGroupsAddToSelf",
	}, names: []string{"wgAddGroups", "wgGroupsAddToSelf"}, setting: grantable},
	groupMerged,
	listShortened,
	{Rule: audit.Rule{
		ID: "private-images", Severity: audit.Error,
		What:      "Reading the wiki requires a log-in, but its images are served to everyone.",
		Why:       "Files of a private wiki leak to anyone who guesses their names.",
		Repair:    "Let wikictl decide where images are served.",
		Reference: "Manual:Image authorization",
	}, tenant: privateImages},
	{Rule: audit.Rule{
		ID: "private-unclear", Severity: audit.Note,
		What:      "A PHP expression decides whether the wiki may be read without a log-in.",
		Why:       "It is served as a private wiki, its images by img_auth.php; an audit can't tell whether its pages are public.",
		Repair:    `Set wgGroupPermissions."*".read to true or false, or check the value of the expression for a visitor.`,
		Reference: "Manual:Preventing access",
	}, tenant: privateUnclear},
	{Rule: audit.Rule{
		ID: "private-accounts", Severity: audit.Warning,
		What:      "Reading the wiki requires a log-in, but visitors may create an account, or get one from another place.",
		Why:       "Anyone who registers can read everything.",
		Repair:    "Write state = \"private\", or set the right to false. Ignore it if an extension confirms new accounts.",
		Reference: "Manual:Preventing access",
	}, tenant: privateAccounts},
	{Rule: audit.Rule{
		ID: "private-css", Severity: audit.Warning,
		What:      "Site scripts or styles apply to the pages for log-in and preferences.",
		Why:       "Anyone who may edit those scripts can read passwords as they are typed.",
		Repair:    "Set it to false.",
		Reference: "Manual:$wgAllowSiteCSSOnRestrictedPages",
	}, names: []string{"wgAllowSiteCSSOnRestrictedPages"}, setting: on("lets site pages change how the log-in looks")},
	{Rule: audit.Rule{
		ID: "password-policy", Severity: audit.Warning,
		What:      "Passwords may be shorter than eight characters.",
		Why:       "Short passwords are guessed.",
		Repair:    "Set MinimalPasswordLength to 8 or more, or remove it: the default is 8 or more.",
		Reference: "Manual:$wgPasswordPolicy",
	}, names: []string{"wgPasswordPolicy"}, setting: shortPasswords},
	{Rule: audit.Rule{
		ID: "password-hash", Severity: audit.Error,
		What:      "New passwords are stored with a hash that is fast to attack.",
		Why:       "A copy of the database reveals the passwords.",
		Repair:    "Remove the setting, or use argon2 or pbkdf2.",
		Reference: "Manual:$wgPasswordDefault",
	}, names: []string{"wgPasswordDefault"}, setting: weakHash},
	{Rule: audit.Rule{
		ID: "secret-in-definitions", Severity: audit.Warning,
		What:      "A password or key stands in the definitions.",
		Why:       "Version control shows it to more people than it is meant for.",
		Repair:    `Write the value into a file of mode 0600 in the folder secrets, and { secret = "…" } with its name in its place.`,
		Reference: "Manual:Securing database passwords",
	}, setting: secretInDefinitions},
}

// anyone lists the groups that every user is in or joins automatically.
var anyone = []string{"*", "user", "autoconfirmed", "emailconfirmed", "temp", "named"}

// powers lists rights that MediaWiki gives to administrators only (Manual:User rights),
// with which a user can take over accounts or hide actions.
var powers = []string{
	"editinterface", "editsitecss", "editsitejs", "editsitejson", "editusercss", "edituserjs", "edituserjson",
	"userrights", "userrights-interwiki", "siteadmin", "block", "blockemail", "delete", "bigdelete", "deletedhistory", "deletedtext",
	"undelete", "protect", "editprotected", "import", "importupload", "hideuser", "suppressrevision", "viewsuppressed",
	"suppressionlog", "deleterevision", "deletelogentry", "mergehistory", "renameuser", "replacetext", "nuke", "usermerge",
	"unblockself", "checkuser", "checkuser-log", "oathauth-disable-for-user", "interwiki", "managechangetags",
}

// strong lists groups whose members have such rights.
var strong = []string{"sysop", "bureaucrat", "interface-admin", "suppress", "steward", "checkuser", "oversight"}

func rightsOfEveryone(_ *subject, name string, v tenants.Value, r *reporter) {
	for _, group := range anyone {
		rights, found := member(v, group)
		if !found {
			continue
		}
		for _, right := range powers {
			if given, found := member(rights, right); found && truthy(given) {
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
		may, found := member(v, group)
		if !found {
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

// privateImages reports addresses of images that bypass img_auth.php.
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

// privateUnclear reports a right to read that depends on a PHP expression.
func privateUnclear(s *subject, r *reporter) {
	if v, right := s.tenant.ReadRight(); right == tenants.ReadUnclear {
		r.say(v.Position, "", "true or false", "%s decides whether visitors may read; the wiki counts as private", kind(v))
	}
}

// privateAccounts reports rights to get an account of a wiki that visitors may not read.
func privateAccounts(s *subject, r *reporter) {
	v, right := s.tenant.ReadRight()
	if right != tenants.ReadDenied || s.code == nil {
		return
	}
	for _, name := range []string{"createaccount", "autocreateaccount"} {
		if s.visitorsMay(name) {
			r.say(v.Position, "wgGroupPermissions.*."+name, `write state = "private", or set it to false`, "visitors may not read, but have the right %s", name)
		}
	}
}

// visitorsMay reports whether the group of all visitors has a right by the definitions, or
// else by MediaWiki's default.
func (s *subject) visitorsMay(right string) bool {
	const all = "wgGroupPermissions"
	visitors, _ := member(s.tenant.Settings["wgRevokePermissions"], "*")
	if revoked, _ := member(visitors, right); truthy(revoked) {
		return false
	}
	v := s.tenant.Settings[all]
	for _, key := range []string{"*", right} {
		if o, is := v.Data.(*tenants.Operation); is && o.Copy == "" {
			v, _ = member(v, key) // what it does not name is gone
			continue
		}
		inner, stated := member(v, key)
		if !stated {
			return truthy(s.defaultOf(all + ".*." + right))
		}
		v = inner
	}
	return truthy(v)
}

func shortPasswords(_ *subject, name string, v tenants.Value, r *reporter) {
	policies, _ := member(v, "policies")
	table, _ := policies.Data.(map[string]tenants.Value)
	for _, group := range slices.Sorted(maps.Keys(table)) {
		least, found := member(table[group], "MinimalPasswordLength")
		if inner, nested := member(least, "value"); nested {
			least = inner
		}
		if n, ok := least.Data.(int64); found && ok && n < 8 {
			r.say(least.Position, name+".policies."+group+".MinimalPasswordLength", "8 or more", "passwords of %s may have %d characters", group, n)
		}
	}
}

func weakHash(_ *subject, name string, v tenants.Value, r *reporter) {
	if v.Data == "A" || v.Data == "B" {
		r.say(v.Position, name, "remove it", "passwords are stored as %s, which is MD5", v.Data)
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
			r.say(v.Position, path, "write { secret = \"…\" } with the name of a file in secrets/", "a secret stands in the definitions")
		}
	case []tenants.Value:
		for _, element := range data {
			secretsIn(path, element, below, r)
		}
	case *tenants.Operation:
		for _, inner := range data.Values() {
			secretsIn(path, inner, below, r)
		}
	case map[string]tenants.Value:
		for key, member := range data {
			secretsIn(path+"."+key, member, below || mask.Name(key), r)
		}
	}
}
