package templates

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"wikictl/tenants"
)

// View is what a template names: the fields of Data and what follows from them.
type View struct {
	Data
	Layout tenants.Layout

	set  *Set
	core *coreSettings
}

func (s *Set) view(d Data) *View {
	return &View{Data: d, Layout: d.Farm.Layout(), set: s, core: s.core(d.Codebase)}
}

// Server is $wgServer: the farm's address with the tenant's first host.
func (v *View) Server() string {
	return strings.ReplaceAll(v.Farm.Web.URL, "{host}", v.Tenant.Hosts[0])
}

// Secure says whether readers reach the tenant by https.
func (v *View) Secure() bool { return strings.HasPrefix(v.Farm.Web.URL, "https:") }

// ServerAddress is $wgDBserver: "host", "host:port" or "localhost:/path/of/socket".
func (v *View) ServerAddress() (string, error) {
	s := v.Tenant.Server
	if s.Managed {
		return "localhost:" + v.Layout.Socket(s.Name), nil
	}
	m := dsnAddress.FindStringSubmatch(s.DSN)
	switch {
	case m == nil || m[1] == "" || m[2] == "":
		return "", &unfitError{value: s.DSN, at: s.Position, why: "names no address that MediaWiki could use"}
	case m[1] == "unix":
		return "localhost:" + m[2], nil
	}
	return strings.TrimSuffix(m[2], ":3306"), nil
}

// dsnAddress takes protocol and address out of "user@protocol(address)/…".
var dsnAddress = regexp.MustCompile(`^(?:[^@]*@)?(unix|tcp)\(([^()]+)\)/`)

// DefaultSkin is $wgDefaultSkin.
func (v *View) DefaultSkin() string {
	if len(v.Tenant.Skins) == 0 {
		return "fallback"
	}
	return v.core.defaultSkin(v.Tenant.Skins[0])
}

// L10n is the folder of the localisation cache of the tenant's code.
func (v *View) L10n() string { return v.Layout.L10n(v.Tenant.ComponentSet(v.Codebase)) }

// Temporary is $wgTmpDirectory.
func (v *View) Temporary() string { return filepath.Join(v.Layout.Cache(v.Tenant.Name), "tmp") }

// UploadPath is $wgUploadPath. A private wiki's files are served by
// img_auth.php, which asks for the reader's rights.
func (v *View) UploadPath() string {
	if v.Tenant.Private() {
		return "/img_auth.php"
	}
	return "/images"
}

// Sections are the settings of the definitions, sorted.
func (v *View) Sections() []Section { return sections(v.Tenant.Settings, v.core) }

// FPM is where php-fpm answers for the tenant: "unix:/path" or "host:port".
func (v *View) FPM() string {
	if v.Farm.Web.Pools {
		return "unix:" + v.PoolSocket()
	}
	return v.Farm.Web.FPM
}

// PoolSocket is where the tenant's own php-fpm pool listens. The dots keep it
// apart from the sockets of servers.
func (v *View) PoolSocket() string {
	return filepath.Join(v.Layout.Run(), v.Tenant.Name+".fpm.sock")
}

// FastCGI is FPM as Apache's proxy takes it.
func (v *View) FastCGI() string {
	if strings.HasPrefix(v.FPM(), "unix:") {
		return "proxy:" + v.FPM() + "|fcgi://localhost"
	}
	return "proxy:fcgi://" + v.FPM()
}

// Certificate is the file of the tenant's certificate; empty without TLS.
func (v *View) Certificate() string { return v.named(v.Farm.Web.Certificate) }

// CertificateKey is the file of the certificate's key.
func (v *View) CertificateKey() string { return v.named(v.Farm.Web.CertificateKey) }

func (v *View) named(pattern string) string {
	return strings.NewReplacer("{host}", v.Tenant.Hosts[0], "{name}", v.Tenant.Name).Replace(pattern)
}

// TLS says whether the web server speaks TLS itself.
func (v *View) TLS() bool { return v.Farm.Web.Certificate != "" }

// Listens are the addresses that serve the tenant.
func (v *View) Listens() []string {
	all := v.Farm.Web.Listen
	if !v.TLS() || !slices.ContainsFunc(all, encrypted) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(l string) bool { return !encrypted(l) })
}

// Redirects are the addresses that only lead from http to https: those of the
// farm without TLS, or port 80 when TLS is on its own port.
func (v *View) Redirects() []string {
	if !v.TLS() || !slices.ContainsFunc(v.Farm.Web.Listen, encrypted) {
		return nil
	}
	plain := slices.DeleteFunc(slices.Clone(v.Farm.Web.Listen), encrypted)
	if len(plain) == 0 && slices.ContainsFunc(v.Listens(), func(l string) bool { return strings.HasPrefix(l, "443 ") }) {
		return []string{"80"}
	}
	return plain
}

func encrypted(listen string) bool {
	words := strings.Fields(listen)
	return slices.Contains(words, "ssl") || slices.Contains(words, "quic")
}

// defaultMaxUpload is MediaWiki's $wgMaxUploadSize, in bytes.
const defaultMaxUpload = 100 << 20

// MaxBody is the largest request in bytes: $wgMaxUploadSize and room for the
// rest of the form.
func (v *View) MaxBody() int64 {
	most := int64(0)
	switch size := v.Tenant.Settings["wgMaxUploadSize"].Data.(type) {
	case int64:
		most = size
	case map[string]tenants.Value:
		for _, member := range size {
			n, _ := member.Data.(int64)
			most = max(most, n)
		}
	}
	if most <= 0 {
		most = defaultMaxUpload
	}
	return most + 1<<20
}

// HostCount is how many host names the farm has.
func (v *View) HostCount() int {
	n := 0
	for _, t := range v.Farm.Tenants {
		n += len(t.Hosts)
	}
	return n
}

// LongestHost is the length of the farm's longest host name.
func (v *View) LongestHost() int {
	n := 0
	for _, t := range v.Farm.Tenants {
		for _, host := range t.Hosts {
			n = max(n, len(host))
		}
	}
	return n
}

// problems turns an error of a template into problems with places: of the value
// in the definitions when the value is at fault, else of the template.
func (v *View) problems(file string, err error) tenants.Problems {
	var unfit *unfitError
	if !errors.As(err, &unfit) {
		var exec template.ExecError
		if errors.As(err, &exec) {
			err = exec.Err
		}
		return tenants.Problems{syntaxProblem(file, err)}
	}
	key, at := v.origin(unfit)
	return tenants.Problems{{Position: at, Key: key, Message: unfit.Error(), Hint: "it was to be written by " + file}}
}

// origin finds what set a value that an escaper refused.
func (v *View) origin(unfit *unfitError) (string, tenants.Position) {
	if unfit.at.File != "" {
		return "", unfit.at
	}
	if t := v.Tenant; t != nil {
		for _, host := range t.Hosts {
			if unfit.value == host {
				return "hosts", t.Origins["hosts."+host]
			}
		}
		for _, key := range slices.Concat(keysOf("extensions.", t.Extensions), keysOf("skins.", t.Skins)) {
			_, name, _ := strings.Cut(key, ".")
			if unfit.value == name {
				return key, t.Origins[key]
			}
		}
		for key, value := range map[string]string{"sitename": t.Sitename, "language": t.Language, "database": t.Database, "admin": t.Admin} {
			if unfit.value == value {
				return key, t.Origins[key]
			}
		}
	}
	return v.farmKey(unfit.value), tenants.Position{File: tenants.FarmFile}
}

func keysOf(prefix string, names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = prefix + name
	}
	return keys
}

// farmKey names the key of the farm's file that a value came from.
func (v *View) farmKey(value string) string {
	w := v.Farm.Web
	switch {
	case strings.HasPrefix(value, v.Farm.State):
		return "state"
	case slices.Contains(w.Listen, value):
		return "web.listen"
	case strings.Contains(value, w.FPM) && w.FPM != "":
		return "web.fpm"
	case w.Certificate != "" && strings.HasPrefix(value, strings.Split(w.Certificate, "{")[0]):
		return "web.certificate"
	}
	return ""
}

// NamesHashSize is a server_names_hash_max_size with room for every host.
func (v *View) NamesHashSize() int {
	size := 1024
	for size < 4*v.HostCount() {
		size *= 2
	}
	return size
}

// DefaultListens are all addresses of the farm, those for redirects too.
func (v *View) DefaultListens() []string {
	return append(slices.Clone(v.Redirects()), v.Listens()...)
}
