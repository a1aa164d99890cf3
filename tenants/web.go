package tenants

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// MapFolders is how many folders of static files a tenant has at most with Web.Map.
const MapFolders = 4

// CertificateOf is the file of a tenant's TLS certificate and that of its key;
// empty without TLS.
func (w Web) CertificateOf(t *Tenant) (certificate, key string) {
	named := strings.NewReplacer("{host}", t.Hosts[0], "{name}", t.Name)
	return named.Replace(w.Certificate), named.Replace(w.CertificateKey)
}

// AccessLogOf is the file that the web server notes a tenant's requests in; empty where
// it does what it is set to.
func (w Web) AccessLogOf(t *Tenant) string {
	return strings.NewReplacer("{host}", t.Hosts[0], "{name}", t.Name).Replace(w.AccessLog)
}

// Pool is the bounds of a tenant's own php-fpm pool; zero is what the farm has.
type Pool struct {
	User        string // the user of its processes, and of the tenant's scripts
	Children    int64  // processes at most
	Queue       int64  // requests that wait for a process at most
	MemoryLimit int64  // of one request, in bytes
	Timeout     int64  // of one request, in seconds
}

// Or has the other's bounds where it has none.
func (p Pool) Or(other Pool) Pool {
	return Pool{
		cmp.Or(p.User, other.User), cmp.Or(p.Children, other.Children), cmp.Or(p.Queue, other.Queue),
		cmp.Or(p.MemoryLimit, other.MemoryLimit), cmp.Or(p.Timeout, other.Timeout),
	}
}

// Limits bound the requests that a wiki's PHP gets; zero is no bound.
type Limits struct {
	Requests    string // of one address, such as "10/s" or "300/m"
	Burst       int64  // of one address beyond Requests for a moment
	Connections int64  // requests of one address at the same time
	Total       int64  // requests of all addresses at the same time
}

// Or has the other's bounds where it has none.
func (l Limits) Or(other Limits) Limits {
	return Limits{
		cmp.Or(l.Requests, other.Requests), cmp.Or(l.Burst, other.Burst),
		cmp.Or(l.Connections, other.Connections), cmp.Or(l.Total, other.Total),
	}
}

// AddressOf is the address of a tenant without a path, as $wgServer has it.
func (w Web) AddressOf(t *Tenant) string {
	address := strings.ReplaceAll(w.URL, "{host}", t.Hosts[0])
	if !t.ByHTTP {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return "http://" + u.Hostname() + w.plainPort()
}

// plainPort is the port without TLS as an address ends in it; empty for 80.
func (w Web) plainPort() string {
	listens := w.PlainListens()
	if len(listens) == 0 {
		return ""
	}
	first := strings.Fields(listens[0])[0]
	if port := first[strings.LastIndex(first, ":")+1:]; port != "80" {
		return ":" + port
	}
	return ""
}

// PlainListens are the addresses of a web server with TLS that do without, or port 80
// where TLS has its own port.
func (w Web) PlainListens() []string {
	plain := slices.DeleteFunc(slices.Clone(w.Listen), Encrypted)
	if len(plain) == 0 && slices.ContainsFunc(w.Listen, func(l string) bool { return strings.HasPrefix(l, "443 ") }) {
		return []string{"80"}
	}
	return plain
}

// Encrypted reports whether an address, as nginx's listen takes it, is one for TLS.
func Encrypted(listen string) bool {
	words := strings.Fields(listen)
	return slices.Contains(words, "ssl") || slices.Contains(words, "quic")
}

// ProbeBy is where the web server answers for one of the host names of a tenant, or of its
// Places, as Web.Probe is for those that are served in the farm's usual way.
func (f *Farm) ProbeBy(host string) string {
	host, _, _ = strings.Cut(host, "/")
	for _, t := range f.Tenants {
		if !t.ByHTTP || !slices.Contains(t.Hosts, host) {
			continue
		}
		if u, err := url.Parse(f.Web.Probe); err == nil && u.Scheme == "https" {
			name := u.Hostname()
			if strings.Contains(name, ":") {
				name = "[" + name + "]"
			}
			return "http://" + name + f.Web.plainPort()
		}
	}
	return f.Web.Probe
}

// defaultMaxUpload is MediaWiki's default of $wgMaxUploadSize, in bytes.
const defaultMaxUpload = 100 << 20

// MaxUpload returns the largest upload in bytes that a tenant's $wgMaxUploadSize allows from a
// source, such as "file" or "url", and "" stands for that which may have the largest. For a PHP
// expression it is MediaWiki's default.
func (t *Tenant) MaxUpload(source string) (most int64) {
	value := t.Settings["wgMaxUploadSize"]
	if o, is := value.Data.(*Operation); is && o.Replace != nil {
		value = *o.Replace
	}
	switch size := value.Data.(type) {
	case int64:
		most = size
	case map[string]Value:
		for key, member := range size {
			n, _ := member.Data.(int64)
			_, own := size[source]
			if key == source || source == "" || key == "*" && !own {
				most = max(most, n)
			}
		}
	}
	if most <= 0 {
		most = defaultMaxUpload
	}
	return most
}
