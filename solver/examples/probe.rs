#![allow(missing_docs, clippy::all, clippy::pedantic)]
use milp_model::*; use milp_schema::{*, instance::*, ids::ReplicaId};
use highs::{RowProblem, Sense as S};
fn main(){
  let a:Vec<String>=std::env::args().collect();
  let get=|k:&str,d:&str|->String{a.iter().find_map(|x|x.strip_prefix(&format!("{k}=")).map(|s|s.to_string())).unwrap_or(d.to_string())};
  let num=|k:&str,d:&str|->u32{get(k,d).parse().unwrap()};
  let mut faults=vec![];
  let byz=num("byz","0"); if byz>0{faults.push(Fault{kind:FaultKind::Byzantine,who:Who::Any(byz)});}
  let cr=num("crash","0"); if cr>0{faults.push(Fault{kind:FaultKind::Crash,who:Who::Any(cr)});}
  let nw=num("net","0"); if nw>0{faults.push(Fault{kind:FaultKind::Network,who:Who::Any(nw)});}
  let fix=get("fix",""); if !fix.is_empty(){faults=vec![Fault{kind:FaultKind::Byzantine,who:Who::These(vec![ReplicaId(fix.parse().unwrap())])}];}
  let inst=Instance{protocol:get("p","dbft2"),rules:"paper".into(),replicas:num("n","4"),faults,beyond_budget:true,heights:num("h","1"),views:num("v","2"),blocks_per_proposal:num("b","1"),slots:num("t","12"),
   network:match get("net_","eventual").as_str(){"async"=>Network::Asynchronous,"bounded"=>Network::Bounded{delay_min:1,delay_max:num("dmax","2"),gst:0},_=>Network::Eventual},
   timeouts:if num("bt","0")>0{Timeouts::Protocol}else{Timeouts::Free},block_time:if num("bt","0")>0{Some(num("bt","0"))}else{None},primary:Primary::Rotation,
   goal:match get("g","fork").as_str(){"fork"=>Goal::Fork,"finality"=>Goal::Finality,"stall"=>Goal::Stall,"slow"=>Goal::Slow,"views"=>Goal::Views,_=>Goal::Weighted{sense:Sense::Maximize,blocks:1000,views:-100,messages:0}},
   formulation:Formulation::Auto,budget:Budget::default(),mutant:{let m=get("m","");if m.is_empty(){None}else{Some(m)}}};
  let t0=std::time::Instant::now();
  let built=build(&inst).unwrap(); let p=&built.program;
  println!("cols {} rows {} nnz {} build {:?}",p.columns.len(),p.rows.len(),p.nonzeros(),t0.elapsed());
  let mut rp=RowProblem::default();
  let mut obj=vec![0.0;p.columns.len()]; for (c,w) in &p.objective{obj[c.index()]=*w as f64;}
  let cols:Vec<_>=p.columns.iter().zip(&obj).map(|(c,o)|rp.add_integer_column(*o,c.lower as f64..=c.upper as f64)).collect();
  for r in &p.rows{ let t:Vec<_>=r.terms.iter().map(|(c,k)|(cols[c.index()],*k as f64)).collect();
    rp.add_row(r.lower.map_or(f64::NEG_INFINITY,|x|x as f64)..=r.upper.map_or(f64::INFINITY,|x|x as f64),&t);}
  let mut m=rp.optimise(if p.sense==Sense::Maximize{S::Maximise}else{S::Minimise});
  m.set_option("output_flag",true); m.set_option("log_to_console",true); m.set_option("threads",1); m.set_option("time_limit",get("tl","120").parse::<f64>().unwrap());
  m.set_option("mip_rel_gap",0.0); m.set_option("mip_abs_gap",0.99);
  m.set_option("random_seed",num("seed","0") as i32);
  for x in &a{ if let Some(o)=x.strip_prefix("o."){let (k,v)=o.split_once('=').unwrap(); if let Ok(i)=v.parse::<i32>(){m.set_option(k,i)}else if let Ok(f)=v.parse::<f64>(){m.set_option(k,f)}else{m.set_option(k,v)}}}
  let s=m.solve(); println!("{:?} obj {} const {} time {:?}",s.status(),s.objective_value(),p.constant,t0.elapsed());
  let sol=s.get_solution(); let pt:Vec<i64>=sol.columns().iter().map(|x|x.round() as i64).collect();
  if pt.len()==p.columns.len(){ println!("value {} violations {:?}",p.value(&pt),p.violations(&pt).take(5).collect::<Vec<_>>());
   let d=built.decode(&pt); println!("faulty {:?}",d.faulty);
   if num("show","1")>0{ for c in &d.schedule.choices{ match c{Choice::Deliver{slot,copy}=>println!("{slot} deliver {}<-{} {} sent {}",copy.receiver,copy.sender,copy.message,copy.sent),Choice::Timeout{slot,replica,height,view}=>println!("{slot} timeout {replica} h{height}v{view}"),Choice::Inject{copy}=>println!("{} inject {}->{} {}",copy.sent,copy.sender,copy.receiver,copy.message),Choice::Crash{slot,replica}=>println!("{slot} crash {replica}"),_=>{}}}
   for q in &d.schedule.predictions{println!("  {} r{} {:?}",q.slot,q.replica,q.event)} }
   let e=built.encode(&d.schedule,&d.faulty).unwrap(); let mut bad=0; for (k,(x,y)) in e.iter().zip(&pt).enumerate(){ if let Some(x)=x{ if x!=y{bad+=1; if bad<5{println!("encode differs {} {x} {y}",p.columns[k].name)}}}} println!("encode mismatches {bad}");
  }
}
