package audit

import (
	"strings"
	"time"
)

// certificateRules are about the files that web.certificate names.
var certificateRules = []rule{
	{Rule: Rule{
		ID: "certificate-unfit", Severity: Error,
		What:      "A wiki's TLS certificate is missing, is none, is not its key's, or is not for its host names.",
		Why:       "Browsers refuse the wiki; the web server may refuse to start with all of them.",
		Mend:      "Get a certificate for all of the wiki's hosts and put it where web.certificate says.",
		Reference: "nginx: Configuring HTTPS servers",
	}, there: unfitCertificate},
	{Rule: Rule{
		ID: "certificate-expired", Severity: Error,
		What:      "A wiki's TLS certificate is not valid any more, or not yet.",
		Why:       "Browsers refuse the wiki.",
		Mend:      "Renew it, reload the web server, and see why it was not renewed by itself.",
		Reference: "RFC 5280: Validity",
	}, there: expiredCertificate},
	{Rule: Rule{
		ID: "certificate-ends", Severity: Warning,
		What:      "A wiki's TLS certificate ends within 21 days.",
		Why:       "Those that are renewed by themselves are renewed by then, so this one is not.",
		Mend:      "Renew it and reload the web server.",
		Reference: "RFC 5280: Validity",
	}, there: endingCertificate},
	{Rule: Rule{
		ID: "certificate-key-open", Severity: Error,
		What:      "Everybody on the machine can read the key of a wiki's TLS certificate.",
		Why:       "Whoever has it can pretend to be the wiki.",
		Mend:      "chmod o-rwx; the web server reads it as root.",
		Reference: "nginx: Configuring HTTPS servers",
	}, there: openKey},
}

// endingDays is how long before its end a certificate is spoken of: ACME clients
// renew those of 90 days a month before.
const endingDays = 21

// certificate is the subject's, if the farm has any and the wiki is there.
func (s *subject) certificate() (c certificate, paths certificatePaths, ok bool) {
	if s.state() == nil {
		return c, paths, false
	}
	paths = pathsOf(s.farm, s.tenant)
	c, ok = s.there.certificates[paths]
	return c, paths, ok
}

func unfitCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	if !ok {
		return
	}
	if c.err != nil {
		r.say(s.farm.At("web.certificate"), "web.certificate", "", "%s", c.err)
		return
	}
	var wrong []string
	for _, host := range s.tenant.Hosts {
		if err := c.leaf.VerifyHostname(host); err != nil {
			wrong = append(wrong, host)
		}
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "hosts", "", "%s is not for %s", paths.certificate, strings.Join(wrong, ", "))
	}
}

func expiredCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	switch {
	case !ok || c.leaf == nil:
	case s.today.After(c.leaf.NotAfter):
		r.say(s.farm.At("web.certificate"), "web.certificate", "", "%s ended on %s UTC", paths.certificate, c.leaf.NotAfter.UTC().Format(time.DateTime))
	case s.today.Before(c.leaf.NotBefore):
		r.say(s.farm.At("web.certificate"), "web.certificate", "", "%s is valid from %s UTC on", paths.certificate, c.leaf.NotBefore.UTC().Format(time.DateTime))
	}
}

func endingCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	if !ok || c.leaf == nil || s.today.After(c.leaf.NotAfter) || c.leaf.NotAfter.Sub(s.today) > endingDays*24*time.Hour {
		return
	}
	r.say(s.farm.At("web.certificate"), "web.certificate", "", "%s ends on %s UTC", paths.certificate, c.leaf.NotAfter.UTC().Format(time.DateTime))
}

func openKey(s *subject, r *reporter) {
	if c, paths, ok := s.certificate(); ok && c.keyMode&0o007 != 0 {
		r.say(s.farm.At("web.certificate_key"), "web.certificate_key", "chmod o-rwx "+paths.key, "%s has mode %04o", paths.key, c.keyMode)
	}
}
