package rules

import (
	"slices"
	"strings"
	"time"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
)

// certificateRules check the files of web.certificate.
var certificateRules = []rule{
	{Rule: audit.Rule{
		ID: "certificate-unfit", Severity: audit.Error,
		What:      "A wiki's TLS certificate is missing, not a certificate, does not match its key, or does not cover the host names and aliases.",
		Why:       "Browsers refuse the wiki; the web server may refuse to start.",
		Repair:    "Get a certificate for all of the wiki's hosts and put it at the path of web.certificate.",
		Reference: "nginx: Configuring HTTPS servers",
	}, observed: unfitCertificate},
	{Rule: audit.Rule{
		ID: "certificate-expired", Severity: audit.Error,
		What:      "A wiki's TLS certificate has expired, or is not valid yet.",
		Why:       "Browsers refuse the wiki.",
		Repair:    "Renew it, reload the web server, and find out why its automatic renewal failed.",
		Reference: "RFC 5280: Validity",
	}, observed: expiredCertificate},
	{Rule: audit.Rule{
		ID: "certificate-ends", Severity: audit.Warning,
		What:      "A wiki's TLS certificate expires within 21 days.",
		Why:       "Automatic renewal would have renewed it by now, so it seems to fail.",
		Repair:    "Renew it and reload the web server.",
		Reference: "RFC 5280: Validity",
	}, observed: endingCertificate},
	{Rule: audit.Rule{
		ID: "certificate-unloaded", Severity: audit.Warning,
		What:      "The web server sends another certificate than that in the wiki's file.",
		Why:       "It reads the file only at its start and at a reload, so that a renewed certificate has no effect and the old one expires.",
		Repair:    "Reload the web server, and have the ACME client do so after each renewal. Ignore it if a proxy with certificates of its own is at web.probe.",
		Reference: "wikictl help web",
	}, observed: unloadedCertificate},
	{Rule: audit.Rule{
		ID: "certificate-key-open", Severity: audit.Error,
		What:      "Every user of the machine can read the key of a wiki's TLS certificate.",
		Why:       "The key allows others to impersonate the wiki.",
		Repair:    "chmod o-rwx; the web server reads it as root.",
		Reference: "nginx: Configuring HTTPS servers",
	}, observed: openKey},
	{Rule: audit.Rule{
		ID: "certificate-awaited", Severity: audit.Warning,
		What:      "A wiki is served by http, as its certificate is not there yet.",
		Why:       "Log-ins travel in the clear, and its address is another once it is served by https.",
		Repair:    "Have the ACME client get the certificate by its webroot, which web.acme names, and run wikictl apply.",
		Reference: "wikictl help web",
	}, observed: awaitedCertificate},
}

// endingDays is the number of days before its end at which a certificate is reported:
// ACME clients renew a certificate of 90 days a month before.
const endingDays = 21

// certificate returns the tenant's certificate, if the farm has any and the wiki exists.
func (s *subject) certificate() (c observe.Certificate, paths observe.CertificatePaths, ok bool) {
	if s.state() == nil || s.tenant.ByHTTP {
		return c, paths, false
	}
	paths = observe.PathsOf(s.Farm, s.tenant)
	c, ok = s.observed.Certificates[paths]
	return c, paths, ok
}

func unfitCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	if !ok {
		return
	}
	if c.Err != nil {
		r.say(s.Farm.At("web.certificate"), "web.certificate", "", "%s", c.Err)
		return
	}
	var wrong []string
	for _, host := range slices.Concat(s.tenant.Hosts, s.tenant.Aliases) {
		if err := c.Leaf.VerifyHostname(host); err != nil {
			wrong = append(wrong, host)
		}
	}
	if len(wrong) > 0 {
		r.say(s.tenant.Position, "hosts", "", "%s is not for %s", paths.Certificate, strings.Join(wrong, ", "))
	}
}

func expiredCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	switch {
	case !ok || c.Leaf == nil:
	case s.today.After(c.Leaf.NotAfter):
		r.say(s.Farm.At("web.certificate"), "web.certificate", "", "%s ended on %s UTC", paths.Certificate, c.Leaf.NotAfter.UTC().Format(time.DateTime))
	case s.today.Before(c.Leaf.NotBefore):
		r.say(s.Farm.At("web.certificate"), "web.certificate", "", "%s is valid from %s UTC on", paths.Certificate, c.Leaf.NotBefore.UTC().Format(time.DateTime))
	}
}

func endingCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	if !ok || c.Leaf == nil || s.today.After(c.Leaf.NotAfter) || c.Leaf.NotAfter.Sub(s.today) > endingDays*24*time.Hour {
		return
	}
	r.say(s.Farm.At("web.certificate"), "web.certificate", "", "%s ends on %s UTC", paths.Certificate, c.Leaf.NotAfter.UTC().Format(time.DateTime))
}

func unloadedCertificate(s *subject, r *reporter) {
	c, paths, ok := s.certificate()
	if d := s.state(); ok && c.Err == nil && d.Sent != nil && len(d.Changes) == 0 && !c.Leaf.Equal(d.Sent) { // otherwise the files are the finding
		r.say(s.Farm.At("web.certificate"), "web.certificate", "reload the web server", "the web server sends a certificate for %s that ends on %s UTC and is not that in %s", s.tenant.Hosts[0], d.Sent.NotAfter.UTC().Format(time.DateTime), paths.Certificate)
	}
}

func openKey(s *subject, r *reporter) {
	if c, paths, ok := s.certificate(); ok && c.KeyMode&0o007 != 0 {
		r.say(s.Farm.At("web.certificate_key"), "web.certificate_key", "chmod o-rwx "+paths.Key, "%s has mode %04o", paths.Key, c.KeyMode)
	}
}

func awaitedCertificate(s *subject, r *reporter) {
	if s.tenant.ByHTTP {
		paths := observe.PathsOf(s.Farm, s.tenant)
		r.say(s.Farm.At("web.certificate"), "web.certificate", "", "%s is not there yet with its key, and %s is served by http", paths.Certificate, s.tenant.Hosts[0])
	}
}
