//! The stack machine that a pickle is a program for, as far as it is known. In: opcodes. Out: values, or what is refused.

use std::collections::HashMap;

use safetensors::Dtype;

use super::{Global, Id, Storage, TorchTensor, Value};

/// A tensor of more axes and a storage of a longer name are refused. What a call copies is thereby short, so that no
/// pickle takes much more memory than its own length.
const MOST_AXES: usize = 8;
const LONGEST_NAME: usize = 64;

/// The stack machine.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    pub values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack where `MARK` was met.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// What the pickle is, once it has ended.
    pub root: Option<Id>,
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            root: None,
        }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// One opcode, by the names of Python's `pickletools`.
    pub fn step(&mut self) -> Result<(), String> {
        let opcode = self.take(1)?[0];
        match opcode {
            // PROTO, FRAME: what follows is told by the opcodes themselves.
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()), // MARK
            b'.' => self.root = Some(self.pop()?),     // STOP
            // NONE, NEWTRUE, NEWFALSE, BINFLOAT
            b'N' | 0x88 | 0x89 => self.push(Value::Plain),
            b'G' => {
                self.take(8)?;
                self.push(Value::Plain);
            }
            b'K' | b'M' | b'J' | 0x8a => self.integer(opcode)?,
            b'X' | 0x8c | b'T' | b'U' => self.text(opcode)?,
            b')' => self.push(Value::Tuple(Vec::new())), // EMPTY_TUPLE
            0x85..=0x87 => {
                // TUPLE1, TUPLE2, TUPLE3
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.push(Value::Tuple(items));
            }
            b't' => {
                let items = self.pop_to_mark()?; // TUPLE
                self.push(Value::Tuple(items));
            }
            b']' => self.push(Value::List(Vec::new())), // EMPTY_LIST
            b'}' => self.push(Value::Dict(Vec::new())), // EMPTY_DICT
            b'a' | b'e' | b's' | b'u' => self.collect(opcode)?,
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.memory(opcode)?,
            b'c' | 0x93 => self.global(opcode)?,
            b'Q' => self.storage()?, // BINPERSID
            b'R' => self.reduce()?,  // REDUCE
            b'b' => self.build()?,   // BUILD
            other => return Err(format!("pickle opcode 0x{other:02x} is refused")),
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or("the pickle is cut short")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("as many as were taken"))
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.ok_or("the pickle is cut short")? + 1)?;
        std::str::from_utf8(&line[..line.len() - 1]).map_err(|e| e.to_string())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    /// The values above the last mark stay where they are until `pop_to_mark`.
    fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => Ok(self.stack.pop().unwrap_or_default()),
            false => Err("the pickle takes from an empty stack".into()),
        }
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, String> {
        let mut items = (0..count)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        Ok(items)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("the pickle has no mark")?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&self) -> Result<Id, String> {
        let top = self.stack.last().copied();
        top.ok_or_else(|| "the pickle takes from an empty stack".into())
    }

    /// BININT1, BININT2, BININT, LONG1.
    fn integer(&mut self, opcode: u8) -> Result<(), String> {
        let value = match opcode {
            b'K' => i64::from(self.take(1)?[0]),
            b'M' => i64::from(u16::from_le_bytes(self.number()?)),
            b'J' => i64::from(i32::from_le_bytes(self.number()?)),
            _ => {
                let len = usize::from(self.take(1)?[0]);
                let digits = self.take(len)?;
                if len > 8 {
                    return Err(format!("an integer of {len} bytes is refused"));
                }
                let negative = digits.last().is_some_and(|&byte| byte >= 0x80);
                let mut bytes = [if negative { 0xff } else { 0 }; 8];
                bytes[..len].copy_from_slice(digits);
                i64::from_le_bytes(bytes)
            }
        };
        self.push(Value::Int(value));
        Ok(())
    }

    /// BINUNICODE, SHORT_BINUNICODE, and what Python 2 wrote for text: BINSTRING, SHORT_BINSTRING.
    fn text(&mut self, opcode: u8) -> Result<(), String> {
        let len = match opcode {
            b'X' | b'T' => u32::from_le_bytes(self.number()?) as usize,
            _ => usize::from(self.take(1)?[0]),
        };
        let text = std::str::from_utf8(self.take(len)?).map_err(|e| e.to_string())?;
        self.push(Value::Text(text.to_owned()));
        Ok(())
    }

    /// APPEND, APPENDS, SETITEM, SETITEMS.
    fn collect(&mut self, opcode: u8) -> Result<(), String> {
        let mut items = match opcode {
            b'a' => self.pop_many(1)?,
            b's' => self.pop_many(2)?,
            _ => self.pop_to_mark()?,
        };
        let target = self.top()?;
        match (&mut self.values[target], opcode) {
            (Value::List(list), b'a' | b'e') => list.append(&mut items),
            (Value::Dict(dict), b's' | b'u') => {
                let (pairs, rest) = items.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err("a key of the pickle has no value".into());
                }
                dict.extend(pairs.iter().map(|&[key, value]| (key, value)));
            }
            _ => return Err("the pickle adds to what is no collection".into()),
        }
        Ok(())
    }

    /// BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET.
    fn memory(&mut self, opcode: u8) -> Result<(), String> {
        let place = match opcode {
            b'q' | b'h' => u32::from(self.take(1)?[0]),
            0x94 => self.memo.len() as u32,
            _ => u32::from_le_bytes(self.number()?),
        };
        if matches!(opcode, b'h' | b'j') {
            let id = self.memo.get(&place);
            let id = *id.ok_or("the pickle recalls what it has not kept")?;
            self.stack.push(id);
        } else {
            let id = self.top()?;
            self.memo.insert(place, id);
        }
        Ok(())
    }

    /// GLOBAL, STACK_GLOBAL.
    fn global(&mut self, opcode: u8) -> Result<(), String> {
        let (module, name) = match opcode {
            b'c' => (self.line()?.to_owned(), self.line()?.to_owned()),
            _ => {
                let names = self.pop_many(2)?;
                match (&self.values[names[0]], &self.values[names[1]]) {
                    (Value::Text(module), Value::Text(name)) => (module.clone(), name.clone()),
                    _ => return Err("the pickle names a global by what is no text".into()),
                }
            }
        };
        let global = global(&module, &name);
        let global = global.ok_or_else(|| format!("the pickle's `{module}.{name}` is refused"))?;
        self.push(Value::Global(global));
        Ok(())
    }

    /// BINPERSID: `("storage", class, name, device, number of elements)`.
    fn storage(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let Value::Tuple(fields) = &self.values[id] else {
            return Err("a persistent id is no tuple".into());
        };
        let fields: Vec<&Value> = fields.iter().map(|&id| &self.values[id]).collect();
        let storage = match fields.as_slice() {
            [
                Value::Text(kind),
                Value::Global(Global::Storage(dtype)),
                Value::Text(name),
                Value::Text(_),
                Value::Int(len),
                // Before PyTorch 1.6: the storage that this one is a part of, here none.
                ..,
            ] if fields.len() <= 6
                && matches!(fields.get(5), None | Some(Value::Plain))
                && kind == "storage"
                && name.len() <= LONGEST_NAME =>
            {
                Storage {
                    name: name.clone(),
                    dtype: *dtype,
                    len: size(*len)?,
                }
            }
            _ => return Err("a persistent id is no storage".into()),
        };
        self.push(Value::Storage(storage));
        Ok(())
    }

    /// Calls, of the three functions that are known.
    fn reduce(&mut self) -> Result<(), String> {
        let call = self.pop_many(2)?;
        let (Value::Global(function), Value::Tuple(arguments)) =
            (&self.values[call[0]], &self.values[call[1]])
        else {
            return Err("the pickle calls what is no function".into());
        };
        let values: Vec<&Value> = arguments.iter().map(|&id| &self.values[id]).collect();
        match (function, values.as_slice()) {
            (Global::OrderedDict, []) => self.push(Value::Dict(Vec::new())),
            // As Python 2 wrote it.
            (Global::OrderedDict, [Value::List(items)]) => {
                let pair = |&id: &Id| match &self.values[id] {
                    Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
                    _ => Err("an item of an ordered dict is no pair".to_owned()),
                };
                let items = items.iter().map(pair).collect::<Result<_, _>>()?;
                self.push(Value::Dict(items));
            }
            (Global::RebuildParameter, [Value::Tensor(tensor), ..]) => {
                let tensor = tensor.clone();
                self.push(Value::Tensor(tensor));
            }
            (
                Global::RebuildTensor,
                [
                    Value::Storage(storage),
                    Value::Int(offset),
                    Value::Tuple(shape),
                    Value::Tuple(strides),
                    ..,
                ],
            ) => {
                let tensor = TorchTensor {
                    storage: storage.clone(),
                    offset: size(*offset)?,
                    shape: self.sizes(shape)?,
                    strides: self.sizes(strides)?,
                };
                self.push(Value::Tensor(tensor));
            }
            _ => return Err("a call of the pickle has arguments that are not known".into()),
        }
        Ok(())
    }

    fn sizes(&self, ids: &[Id]) -> Result<Vec<usize>, String> {
        if ids.len() > MOST_AXES {
            return Err(format!("a tensor of {} axes is refused", ids.len()));
        }
        let one = |&id: &Id| match &self.values[id] {
            Value::Int(value) => size(*value),
            _ => Err("a size is no integer".into()),
        };
        ids.iter().map(one).collect()
    }

    /// BUILD sets attributes of the object below; those of a dict (PyTorch's `_metadata`) do not matter.
    fn build(&mut self) -> Result<(), String> {
        self.pop()?;
        let target = self.top()?;
        match self.values[target] {
            Value::Dict(_) => Ok(()),
            _ => Err("the pickle sets attributes of what is no dict".into()),
        }
    }
}

fn size(value: i64) -> Result<usize, String> {
    usize::try_from(value).map_err(|_| format!("{value} is no size"))
}

fn global(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", name) => Global::Storage(match name {
            "DoubleStorage" => Dtype::F64,
            "FloatStorage" => Dtype::F32,
            "HalfStorage" => Dtype::F16,
            "BFloat16Storage" => Dtype::BF16,
            "LongStorage" => Dtype::I64,
            "IntStorage" => Dtype::I32,
            "ShortStorage" => Dtype::I16,
            "CharStorage" => Dtype::I8,
            "ByteStorage" => Dtype::U8,
            "BoolStorage" => Dtype::BOOL,
            _ => return None,
        }),
        _ => return None,
    })
}
