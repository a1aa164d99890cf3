package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	html "html/template"

	"wikictl/tenants"
)

// loadFile loads the template of a file of the farm as a whole.
func (s *Set) loadFile(f tenants.File, file string, own map[string][]byte) tenants.Problems {
	text, there := own[f.Template]
	if !there {
		if _, taken := s.infos[f.Template]; taken {
			return tenants.Problems{{Position: f.Position, Key: "files." + f.Name + ".template", Message: f.Template + " is the template of a file of each wiki", Hint: "give the template another name"}}
		}
		return tenants.Problems{{Position: f.Position, Key: "files." + f.Name + ".template", Message: file + " does not exist", Hint: "write it, or remove the file from [files]"}}
	}
	info := Info{Name: f.Template, File: file, Kind: f.Kind, Farm: true}
	if known, twice := s.infos[f.Template]; twice {
		if known.Kind != f.Kind {
			return tenants.Problems{{Position: f.Position, Key: "files." + f.Name + ".kind", Message: fmt.Sprintf("%s also makes a file of kind %s", f.Template, known.Kind), Hint: "use one kind, or two templates"}}
		}
		return nil
	}
	s.infos[f.Template] = info
	if f.Kind == "html" {
		return s.loadPage(info, string(text))
	}
	t, problems := parseTemplate(f.Kind, file, string(text))
	s.add(info, t)
	return problems
}

// loadPage loads a template of HTML. The library escapes each value for its place.
func (s *Set) loadPage(i Info, text string) tenants.Problems {
	t, err := html.New(i.File).Funcs(html.FuncMap{"tenants": func(...string) ([]*Member, error) { return nil, nil }}).Parse(text)
	if err != nil {
		return tenants.Problems{syntaxProblem(i.File, err)}
	}
	s.pages[i.Name] = t
	return nil
}

// RenderFile renders a file of the farm as a whole. The error is tenants.Problems if a
// value can't be written in a file of that kind, or the result is not valid.
func (s *Set) RenderFile(f *tenants.Farm, file tenants.File) (data []byte, err error) {
	fleet := s.fleet(f)
	v := newView(fleet, Paths{}, fleet.usual)
	if file.Kind == "html" {
		data, err = s.page(file, v)
	} else {
		data, err = s.execute(file.Template, v)
	}
	if err == nil && data == nil {
		data = []byte{} // not nil, which would stand for no file
	}
	if err == nil && file.Kind == "json" && !json.Valid(data) {
		err = tenants.Problems{notJSON(s.infos[file.Template].label(), data)}
	}
	return data, err
}

// notJSON locates the first error of JSON in a text.
func notJSON(file string, data []byte) tenants.Problem {
	err := json.Unmarshal(data, new(any))
	p := tenants.Problem{Position: tenants.Position{File: file}, Message: fmt.Sprintf("its result is not JSON: %v", err)}
	if syntax, ok := err.(*json.SyntaxError); ok {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		p.Message = fmt.Sprintf("its result is not JSON: line %d: %v", line, err)
		p.Hint = "a comma before the end of a list is the usual reason"
	}
	return p
}

// page executes a template of HTML. It refuses a value that html/template would replace because
// it is not allowed in its place, such as an address with a scheme that runs code.
func (s *Set) page(file tenants.File, v *View) ([]byte, error) {
	label := s.infos[file.Template].label()
	var b bytes.Buffer
	if err := v.fleet.pages[file.Template].Execute(&b, v); err != nil {
		return nil, v.problems(label, err)
	}
	if i := bytes.Index(b.Bytes(), []byte(unsafeHTML)); i >= 0 {
		line := 1 + bytes.Count(b.Bytes()[:i], []byte("\n"))
		return nil, tenants.Problems{{
			Position: tenants.Position{File: label}, Message: fmt.Sprintf("a value is not allowed in its place: line %d of the result", line),
			Hint: "write addresses into href and src, and no values into scripts, styles or names of attributes",
		}}
	}
	return b.Bytes(), nil
}

// unsafeHTML replaces values that html/template refuses in their place.
const unsafeHTML = "ZgotmplZ"

// CheckFiles renders the files of the farm as a whole and returns their problems.
func (s *Set) CheckFiles(f *tenants.Farm) (problems tenants.Problems) {
	for _, file := range f.Files {
		_, err := s.RenderFile(f, file)
		var found tenants.Problems
		switch {
		case errors.As(err, &found):
			problems = append(problems, found...)
		case err != nil:
			problems = append(problems, tenants.Problem{Position: file.Position, Message: err.Error()})
		}
	}
	return problems
}
