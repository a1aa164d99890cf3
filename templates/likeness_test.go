package templates

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates/escape"
	"wikictl/tenants"
)

// variations change a tenant in ways that rendering may refuse or not.
var variations = []func(one *tenants.Tenant, setting func(name string, data any)){
	func(one *tenants.Tenant, _ func(string, any)) { one.Sitename = "not\xff \"UTF-8\" ?>\n$x" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Sitename = "Fine" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Files = []string{"a\nb?>\xff.toml"} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Name = "odd$name" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Name = "" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Database += "$" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Hosts = append(one.Hosts, "evil$host") },
	func(one *tenants.Tenant, _ func(string, any)) { one.Hosts = append(one.Hosts, "x.example.org") },
	func(one *tenants.Tenant, _ func(string, any)) { one.Hosts = nil },
	func(one *tenants.Tenant, _ func(string, any)) { one.Aliases = []string{"old.example.org"} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Aliases = []string{"old\n.example.org"} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Language = "\xff" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Extensions = []string{"Cite", "\xff"} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Limits.Requests = "$a" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Limits = tenants.Limits{Requests: "5/s", Total: 9} },
	func(one *tenants.Tenant, _ func(string, any)) {
		one.Moves = []tenants.Move{{From: "/a", To: "https://b.example/$a"}}
	},
	func(one *tenants.Tenant, _ func(string, any)) { one.Moves = []tenants.Move{{From: "/a", To: "/b"}} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Static = []string{"a$b"} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Include = []string{"a'b.php"} },
	func(one *tenants.Tenant, _ func(string, any)) {
		one.Server = &tenants.Server{Name: "odd", DSN: "odd"}
	},
	func(one *tenants.Tenant, _ func(string, any)) { one.ScriptPath = "/$w" },
	func(one *tenants.Tenant, _ func(string, any)) { one.Articles = "/$1" },
	func(one *tenants.Tenant, _ func(string, any)) {
		one.State, one.Reason = tenants.StateClosed, "\xff"
	},
	func(one *tenants.Tenant, _ func(string, any)) { one.StageOf = "other" },
	func(one *tenants.Tenant, _ func(string, any)) { one.ByHTTP = true },
	func(one *tenants.Tenant, _ func(string, any)) { one.Pool = tenants.Pool{User: "a$b", Children: 3} },
	func(one *tenants.Tenant, _ func(string, any)) { one.Skins = nil },
	func(one *tenants.Tenant, _ func(string, any)) {
		one.Namespaces = []tenants.Namespace{{Constant: "NS_$"}}
	},
	func(one *tenants.Tenant, _ func(string, any)) { one.Media = &tenants.Tenant{} },
	func(one *tenants.Tenant, _ func(string, any)) {
		one.Media = &tenants.Tenant{Name: "m", Hosts: []string{"m.example.org"}}
	},
	func(_ *tenants.Tenant, setting func(string, any)) { setting("no name", "x") },
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgLogo", "\xff") },
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgLogo", nil) },
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgLogo", uint(1)) },
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgLogo", tenants.PHP("f(")) },
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgLogo", tenants.PHP("1 + 1")) },
	func(_ *tenants.Tenant, setting func(string, any)) {
		setting("wgLogo", &tenants.Operation{Append: []tenants.Value{{Data: tenants.PHP("f(")}}})
	},
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgLogo", &tenants.Operation{Copy: "x"}) },
	func(_ *tenants.Tenant, setting func(string, any)) {
		setting("wgLogos", map[string]tenants.Value{"a": {Data: []tenants.Value{{Data: tenants.PHP("f(")}}}})
	},
	func(_ *tenants.Tenant, setting func(string, any)) {
		setting("wgSecret", &tenants.Hidden{Name: "x", Read: func() (string, error) { return "", fmt.Errorf("is not there") }})
	},
	func(_ *tenants.Tenant, setting func(string, any)) {
		setting("wgGroupPermissions", map[string]tenants.Value{"*": {Data: map[string]tenants.Value{"read": {Data: false}}}})
	},
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgVariantArticlePath", "/$2/$1") },
	func(_ *tenants.Tenant, setting func(string, any)) {
		setting("wgActionPaths", map[string]tenants.Value{"edit": {Data: "/edit/$1"}})
	},
	func(_ *tenants.Tenant, setting func(string, any)) { setting("wgMaxUploadSize", int64(math.MaxInt64)) },
}

// varied returns a farm of many tenants like the first of another, some of them varied.
func varied(f tenants.Farm, random *rand.Rand) *tenants.Farm {
	first := *f.Tenants[0]
	f.Tenants = nil
	for i := range 400 {
		one := first
		one.Name, one.Database = fmt.Sprintf("w%d", i), fmt.Sprintf("wiki_w%d", i)
		one.Hosts = []string{one.Name + ".example.org"}
		one.Files = append(slices.Clone(one.Files), one.Name+".toml")
		one.Position = tenants.Position{File: one.Name + ".toml", Line: 1, Column: 1}
		one.Settings = maps.Clone(first.Settings)
		one.Settings["wgLocaltimezone"] = tenants.Value{Data: one.Name, Position: one.Position}
		setting := func(name string, data any) {
			one.Settings[name] = tenants.Value{Data: data, Position: tenants.Position{File: one.Name + ".toml", Line: 9, Column: i + 1}}
		}
		for range random.IntN(3) {
			variations[random.IntN(len(variations))](&one, setting)
		}
		f.Tenants = append(f.Tenants, &one)
	}
	return &f
}

// Only one of tenants that are alike is rendered. The same problems are found as if all
// were, for all kinds of web servers.
func TestLikeness(t *testing.T) {
	f := load(t, farmToml)
	random := rand.New(rand.NewPCG(1, 2))
	for name, web := range map[string]func(w *tenants.Web){
		"nginx":  func(*tenants.Web) {},
		"apache": func(w *tenants.Web) { w.Kind = "apache" },
		"pools":  func(w *tenants.Web) { w.Pools, w.User = true, "www-data" },
		"map":    func(w *tenants.Web) { w.Map = true },
		"certificates": func(w *tenants.Web) {
			w.Listen, w.Certificate, w.CertificateKey, w.AccessLog = []string{"443 ssl", "80"}, "/c/{host}", "/c/{name}", "/log/{host}"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, farm := set(t, ""), *f
			web(&farm.Web)
			many := varied(farm, random)
			want, blocked, alike := make([]tenants.Problems, len(many.Tenants)), 0, map[string]bool{}
			for i, one := range many.Tenants {
				want[i] = s.refused(many, one, nil, nil)
				alike[s.likeness(many).key(one)] = true
			}
			if err := s.Check(context.Background(), many, nil); err != nil {
				t.Fatal(err)
			}
			for i, one := range many.Tenants {
				if !slices.Equal(one.Faults, want[i]) {
					t.Errorf("%s: got %v, want %v", one.Name, one.Faults, want[i])
				}
				if one.Blocked() {
					blocked++
				}
			}
			if blocked < 50 || len(many.Tenants)-blocked < 50 || len(alike) > len(many.Tenants)-100 {
				t.Errorf("%d of %d tenants are blocked, %d differ", blocked, len(many.Tenants), len(alike))
			}
		})
	}
}

// Names and settings make no difference between tenants; every other field does.
func TestLikenessKey(t *testing.T) {
	f := load(t, farmToml, "name = \"other\"\nhosts = [\"other.example.org\", \"o.example.org\"]\nsitename = \"Other\"\nclasses = [\"kernel\"]\nextensions = [\"ParserFunctions\", \"Cite\"]\n[settings]\nwgLogo = \"x\"\n")
	s := set(t, "")
	like := s.likeness(f)
	delete(f.Tenant("btrfs").Settings, "wgUserEmailConfirmationTokenExpiry") // an expression
	first := like.key(f.Tenant("btrfs"))
	if second := like.key(f.Tenant("other")); first == "" || first != second {
		t.Fatalf("not alike:\n%s\n%s", first, second)
	}
	free := []string{"Name", "Database", "Hosts", "Aliases", "Sitename", "Settings", "Origins", "Repeats", "Files", "Position"}
	for field := range fields(reflect.TypeFor[tenants.Tenant]()) {
		if slices.Contains(free, field.Name) {
			continue
		}
		another := *f.Tenant("other")
		needs.Vary(reflect.ValueOf(&another).Elem().FieldByIndex(field.Index))
		if like.key(&another) == first {
			t.Errorf("%s makes no difference", field.Name)
		}
	}
	for _, name := range []string{LocalSettings, NginxVhost, FPMPool} {
		begin := map[string]string{LocalSettings: "<?php "}[name]
		if s, err := own(t, name, begin+"{{ comment .Tenant.Name }}"); err == nil && s.likeness(f) != nil {
			t.Error("an own template may make a difference:", name)
		}
	}
}

func fields(of reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range of.NumField() {
			if !yield(of.Field(i)) {
				return
			}
		}
	}
}

// Values that likeness leaves out are written by escapers that refuse none of them: titles
// and names of files by two, names by all.
func TestLikenessIsOfFreeValues(t *testing.T) {
	free := regexp.MustCompile(`\.Tenant\.(Sitename|Files)\b`)
	written := regexp.MustCompile(`\{\{-? (comment|php) \.Tenant\.Sitename \}\}|\{\{- range \.Tenant\.Files \}\}\n#   \{\{ comment \. \}\}`)
	for _, name := range names() {
		text, _ := Builtin(name)
		if all, known := free.FindAllString(string(text), -1), written.FindAllString(string(text), -1); len(all) != len(known) {
			t.Errorf("%s: %v are written by %v", name, all, known)
		}
	}
	for _, kind := range []string{"php", "nginx", "apache", "pool"} {
		for name, write := range escapers[kind] {
			for _, value := range []string{"a", "a-b_c.D9", "-a", "_", ".x-"} {
				if name == "assign" || name == "apacheAddress" {
					continue // of settings, and of addresses that the server listens on
				}
				if _, err := write(value); err != nil || withoutPlain(value) != "-" {
					t.Errorf("%s %s %q: %v", kind, name, value, err)
				}
			}
		}
	}
	for _, text := range []string{"\xff", "\n", "?>", "", "$", `\`} {
		_, php := escape.PHP(text)
		_, comment := escape.Comment(text)
		if php != nil || comment != nil {
			t.Errorf("%q: %v %v", text, php, comment)
		}
	}
}

// What is derived of settings, other than their assignments, is a part of likeness's key; or it
// is of another tenant, which counts as a whole.
func TestLikenessKnowsUsesOfSettings(t *testing.T) {
	derived := map[string]bool{} // methods of tenants that read settings
	found := map[string]bool{}
	for again := true; again; {
		again = false
		functions(t, "../tenants", func(_, name string, of *ast.FuncDecl) {
			if of.Recv != nil && !derived[name] && slices.ContainsFunc(selected(of), func(s string) bool { return s == "Settings" || derived[s] }) {
				derived[name], again = true, true
			}
		})
	}
	functions(t, ".", func(file, name string, of *ast.FuncDecl) {
		for _, s := range selected(of) {
			if (s == "Settings" || derived[s]) && !slices.Contains([]string{"likeness.go", "check.go", "operations.go", "settings.go", "alike.go", "origin.go"}, file) {
				found[name+" "+s] = true
			}
		}
	})
	want := []string{"mapEntries Private", "mapView Settings", "maxBody MaxUpload", "maxBody Settings", "mediaOf CapitalFiles", "mediaOf Settings", "pathsOf PagePatterns", "view Private", "view Settings"}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("settings are used by %q, want %q: does likeness know of it?", got, want)
	}
}

// functions calls do for each function of a package's files.
func functions(t *testing.T, dir string, do func(file, name string, of *ast.FuncDecl)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if of, is := d.(*ast.FuncDecl); is {
				do(filepath.Base(path), of.Name.Name, of)
			}
		}
	}
}

// selected lists the fields and methods that a function names.
func selected(of *ast.FuncDecl) (names []string) {
	ast.Inspect(of, func(n ast.Node) bool {
		if s, is := n.(*ast.SelectorExpr); is {
			names = append(names, s.Sel.Name)
		}
		return true
	})
	return names
}
