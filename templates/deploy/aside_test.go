package deploy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// A certificate that is gone takes its own wiki out, and keeps no change of others out;
// one that many share, and a file of another program, are not touched.
func TestVanishedCertificateIsItsTenants(t *testing.T) {
	dir := t.TempDir()
	config, port := filepath.Join(dir, "nginx.conf"), freePort(t)
	check := []string{needs.Program(t, "nginx"), "-t", "-e", filepath.Join(dir, "log"), "-c", config}
	d, err := New(tenants.Layout{State: filepath.Join(dir, "state")}, tenants.Web{Kind: "nginx", Check: check})
	must(t, err)
	must(t, os.WriteFile(config, fmt.Appendf(nil, "pid %s/pid;\nevents {}\nhttp { access_log off; include %s/*.conf; }\n", dir, d.layout.Vhosts()), 0o644))
	var aside []string
	d.Aside = func(tenant string, why error) { aside = append(aside, tenant+" "+why.Error()) }
	secure := func(name, text, certificate string) Wanted {
		w := wanted(name, text)
		path := filepath.Join(dir, certificate)
		w.Vhost = fmt.Appendf(nil, "# %s\nserver { listen 127.0.0.1:%d ssl; server_name %s; ssl_certificate %s.pem; ssl_certificate_key %[4]s.key; }\n", text, port, name, path)
		return w
	}
	for _, name := range []string{"one", "two", "all"} {
		certificate(t, dir)
		for _, ending := range []string{".pem", ".key"} {
			must(t, os.Rename(filepath.Join(dir, "alpha.test"+ending), filepath.Join(dir, name+ending)))
		}
	}
	apply(t, d, secure("a", "1", "all"), secure("b", "1", "one"), secure("c", "1", "two"), secure("d", "1", "all"))
	must(t, os.Remove(filepath.Join(dir, "one.pem")))
	must(t, os.Remove(filepath.Join(dir, "two.key")))
	apply(t, d, secure("a", "2", "all"))
	if Exists(d.layout.Vhost("b")) || Exists(d.layout.Vhost("c")) || !strings.HasPrefix(read(t, d.layout.Vhost("a")), "# 2") || !Exists(d.layout.LocalSettings("b")) {
		t.Error(aside)
	}
	slices.Sort(aside)
	if len(aside) != 2 || !strings.HasPrefix(aside[0], "b ") || !strings.Contains(aside[0], "one.pem") || !strings.Contains(aside[1], "two.key") {
		t.Error(aside)
	}
	must(t, os.WriteFile(filepath.Join(dir, "one.pem"), []byte(read(t, filepath.Join(dir, "all.pem"))), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "one.key"), []byte(read(t, filepath.Join(dir, "all.key"))), 0o600))
	if reloaded, err := d.Publish(t.Context(), "b"); err != nil || !reloaded || !Exists(d.layout.Vhost("b")) {
		t.Error(reloaded, err)
	}
	// The certificate of all that are left: there is nobody to go on for.
	must(t, os.Remove(filepath.Join(dir, "all.pem")))
	must(t, os.Remove(filepath.Join(dir, "one.pem")))
	aside = nil
	before := tree(t, d.layout.Vhosts())
	if _, err := d.Apply(t.Context(), Of(secure("a", "3", "all"))); !errors.As(err, new(*HookError)) || tree(t, d.layout.Vhosts()) != before || len(aside) > 0 {
		t.Error(err, aside)
	}
}

// After a change of web.kind the virtual hosts of tenants that can't be rendered are taken out,
// however many, when all others are written; not when a few are.
func TestOtherKindIsTakenOut(t *testing.T) {
	dir := t.TempDir()
	config, port := filepath.Join(dir, "nginx.conf"), freePort(t)
	layout := tenants.Layout{State: filepath.Join(dir, "state")}
	before, err := New(layout, tenants.Web{Kind: "apache"})
	must(t, err)
	must(t, os.WriteFile(config, fmt.Appendf(nil, "pid %s/pid;\nevents {}\nhttp { access_log off; include %s/*.conf; }\n", dir, layout.Vhosts()), 0o644))
	d, err := New(layout, tenants.Web{Kind: "nginx", Check: []string{needs.Program(t, "nginx"), "-t", "-e", filepath.Join(dir, "log"), "-c", config}})
	must(t, err)
	var aside []string
	d.Aside = func(tenant string, _ error) { aside = append(aside, tenant) }
	var old, all []Wanted
	for i := range 2*mostAside + 3 {
		w := wanted(fmt.Sprintf("w%02d", i), "1")
		w.Vhost = fmt.Appendf(nil, "<VirtualHost 127.0.0.1:%d>\n</VirtualHost>\n", port)
		old = append(old, w)
		w.Vhost = fmt.Appendf(nil, "server { listen 127.0.0.1:%d; server_name %s; }\n", port, w.Tenant)
		all = append(all, w)
	}
	apply(t, before, old...)
	unchanged := tree(t, layout.Vhosts())
	if _, err := d.Apply(t.Context(), Of(all[:2]...)); err == nil || !strings.Contains(err.Error(), "wikictl apply --all") || tree(t, layout.Vhosts()) != unchanged || len(aside) > 0 {
		t.Error(err, aside)
	}
	apply(t, d, all[mostAside+1:]...)
	if len(aside) != mostAside+1 || Exists(layout.Vhost("w00")) || !Exists(layout.LocalSettings("w00")) || !Exists(layout.Vhost("w12")) {
		t.Error(aside)
	}
	apply(t, d, all...)
	if !strings.Contains(read(t, layout.Vhost("w00")), "server_name") {
		t.Error("it is not brought back")
	}
}

// A pool that php-fpm refuses is taken out, where web.check asks php-fpm: it would end php-fpm, and
// with it all wikis, at the next reload.
func TestRefusedPoolIsItsTenants(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "fpm.conf")
	d, err := New(tenants.Layout{State: filepath.Join(dir, "state")}, tenants.Web{Kind: "nginx", Check: []string{needs.FPM(t), "-t", "-y", config}})
	must(t, err)
	must(t, os.WriteFile(config, fmt.Appendf(nil, "[global]\nerror_log = %s/log\ninclude = %s/*.conf\n", dir, d.layout.Pools()), 0o644))
	var aside []string
	d.Aside = func(tenant string, why error) { aside = append(aside, tenant+" "+why.Error()) }
	pooled := func(name, children string) Wanted {
		w := wanted(name, children)
		w.Pool = fmt.Appendf(nil, "[wiki-%s]\nuser = nobody\nlisten = %s/%[1]s.sock\npm = static\npm.max_children = %[3]s\n", name, dir, children)
		return w
	}
	apply(t, d, pooled("a", "1"), pooled("b", "1"), pooled("c", "1"))
	must(t, os.WriteFile(d.layout.Pool("b"), []byte(strings.Replace(read(t, d.layout.Pool("b")), "= 1", "= 0", 1)), 0o644))
	must(t, os.WriteFile(d.layout.Pool("c"), []byte(read(t, d.layout.Pool("c"))+"nonsense = 1\n"), 0o644))
	apply(t, d, pooled("a", "2"))
	slices.Sort(aside)
	if len(aside) != 2 || !strings.Contains(aside[0], "b its php-fpm pool") || !strings.Contains(aside[1], "nonsense") || Exists(d.layout.Pool("b")) || Exists(d.layout.Pool("c")) || !Exists(d.layout.Vhost("b")) {
		t.Error(aside)
	}
	apply(t, d, pooled("b", "3"), pooled("c", "3"))
	if !Exists(d.layout.Pool("b")) || !strings.Contains(read(t, d.layout.Pool("a")), "= 2") {
		t.Error("the pools are not brought back")
	}
	applied, err := d.Apply(t.Context(), Of(pooled("a", "4"), pooled("b", "0")))
	if err == nil || len(applied.Outcomes) != 2 || !strings.Contains(read(t, d.layout.Pool("a")), "= 4") || !strings.Contains(read(t, d.layout.Pool("b")), "= 3") {
		t.Error(err, applied)
	}
}
