package needs

import "reflect"

// Vary changes a value to another one of its type. It leaves kinds that it does not know
// unchanged.
func Vary(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		changed := reflect.MakeMap(v.Type())
		changed.SetMapIndex(reflect.ValueOf("new"), reflect.Zero(v.Type().Elem()))
		v.Set(changed)
	case reflect.Struct:
		Vary(v.Field(0))
	}
}
